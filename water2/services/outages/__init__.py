"""Outages: planned, declared, started, changed, restored, and what is proved of their notices."""
