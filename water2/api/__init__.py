"""The JSON API under /api/v1: thin routes, each building a command and calling its use-case."""
