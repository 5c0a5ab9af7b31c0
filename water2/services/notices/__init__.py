"""Notices of outages: their words, their recipients, and their way into the queue."""
