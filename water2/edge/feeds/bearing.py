"""What a notice means for those who read it, in the enumerations of CAP 1.2 (section 3.2)."""

from dataclasses import dataclass

from water2.domain.notice import NoticeKind
from water2.domain.outage import OutageKind
from water2.domain.public import PublicNotice, PublicOutage


@dataclass(frozen=True, slots=True)
class Bearing:
    """CAP's responseType, urgency, severity, certainty; and which instruction is given."""

    response: str
    urgency: str
    severity: str
    certainty: str
    instruction: str


AHEAD = Bearing("Prepare", "Future", "Minor", "Likely", "before")
BEGUN = Bearing("Monitor", "Immediate", "Minor", "Observed", "during")
EMERGENCY = Bearing("Monitor", "Immediate", "Moderate", "Observed", "during")
# bad water is a threat to health; a dry tap is an inconvenience that may become one
QUALITY = Bearing("Monitor", "Immediate", "Severe", "Observed", "quality")
RESTORED = Bearing("AllClear", "Past", "Minor", "Observed", "restored")
CALLED_OFF = Bearing("AllClear", "Past", "Minor", "Unlikely", "cancelled")
_ENDINGS = {NoticeKind.restored: RESTORED, NoticeKind.cancelled: CALLED_OFF}


def bearing_of(outage: PublicOutage, notice: PublicNotice) -> Bearing:
    """Judge one revision by what was known when it was published, not by what came later."""
    kind = NoticeKind(notice.kind)
    if kind in _ENDINGS:
        return _ENDINGS[kind]
    if concerns_health(outage, notice):
        return QUALITY
    if outage.kind == OutageKind.emergency:
        return EMERGENCY
    return BEGUN if notice.starts_at <= notice.published_at else AHEAD


def concerns_health(outage: PublicOutage, notice: PublicNotice) -> bool:
    """Tell whether this revision or one before it was a quality notice, which later ones go on."""
    told = [one.kind for one in outage.notices if one.revision <= notice.revision]
    return NoticeKind.quality in told
