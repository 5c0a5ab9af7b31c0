"""What is wrong with an installation: every check alone, every finding with its facts."""

from water2.services.doctor.examination import Examination, examine
from water2.services.doctor.finding import Finding, Level

__all__ = ["Examination", "Finding", "Level", "examine"]
