"""Quality anomalies: opened, handled step by step, resumed after passing re-tests, closed."""
