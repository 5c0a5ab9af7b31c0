"""Trends: what was measured at a point over time, and how much of it met the standard."""
