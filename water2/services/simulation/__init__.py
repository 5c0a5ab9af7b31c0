"""Years on a simulated clock: crews, lapses, late entries, with the invariants checked daily."""

from water2.services.simulation.running import simulate
from water2.services.simulation.world import SimulationReport, Violation

__all__ = ["SimulationReport", "Violation", "simulate"]
