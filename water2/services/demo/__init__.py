"""The demonstration: a believable utility of our own invention, and a clock that can be moved."""

from water2.services.demo.seeding import seed_demo

__all__ = ["seed_demo"]
