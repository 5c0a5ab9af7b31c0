"""Delivery: from a row in the queue to the evidence of what became of it."""
