"""What anybody is shown, as answers: outages, notices, estates, subscriptions."""

from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from water2.api.shapes import Answer, Instant
from water2.domain.public import PublicNotice, PublicOutage
from water2.services.public.facilities import EstateView

PublicState = Literal["published", "in_effect", "restored", "cancelled"]


class PublicNoticeAnswer(Answer):
    """One published revision of a notice, in both languages; it never changes.

    `buildings` are codes, empty: the whole estate. `text_sha256` is the hash in the ledger.
    """

    number: str
    revision: int
    kind: str
    published_at: Instant
    starts_at: Instant
    ends_at: Instant | None
    buildings: list[str]
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    text_sha256: str


class PublicOutageAnswer(Answer):
    """A published outage. `ends_at` of an emergency is an estimate, null where there is none."""

    number: str
    revision: int
    utility: str
    timezone: str
    facility_id: str
    facility: str
    address: str | None
    district: str | None
    buildings: list[str] = Field(description="codes; empty: the whole estate")
    kind: str
    state: PublicState
    reason: str
    starts_at: Instant
    ends_at: Instant | None
    started_at: Instant | None
    restored_at: Instant | None
    cancelled_at: Instant | None
    updated_at: Instant
    phone: str | None
    title_zh: str
    title_en: str

    @classmethod
    def of(cls, outage: PublicOutage) -> Self:
        """Show an outage with the title of its last notice."""
        return cls.model_validate(_told(outage))


def _told(outage: PublicOutage) -> dict[str, object]:
    names = [name for name in PublicOutageAnswer.model_fields if hasattr(outage, name)]
    latest = outage.latest
    of_notice = {"revision": latest.revision, "title_zh": latest.title_zh}
    return (
        {name: getattr(outage, name) for name in names} | of_notice | {"title_en": latest.title_en}
    )


class PublicOutageDetail(PublicOutageAnswer):
    """A published outage with all revisions of its notice, the first first."""

    notices: list[PublicNoticeAnswer]

    @classmethod
    def of(cls, outage: PublicOutage) -> Self:
        """Show an outage with its notices."""
        return cls.model_validate(_told(outage) | {"notices": outage.notices})


class GenuineAnswer(PublicNoticeAnswer):
    """A notice that was published: it is genuine. `superseded`: a later revision holds."""

    genuine: Literal[True] = True
    superseded: bool
    outage: PublicOutageAnswer
    revisions: list[PublicNoticeAnswer]

    @classmethod
    def of_notice(cls, outage: PublicOutage, notice: PublicNotice) -> Self:
        """Show a revision with the outage as it stands and all other revisions."""
        shown = PublicNoticeAnswer.model_validate(notice).model_dump()
        return cls(
            **shown,
            superseded=notice.revision < outage.latest.revision,
            outage=PublicOutageAnswer.of(outage),
            revisions=[PublicNoticeAnswer.model_validate(one) for one in outage.notices],
        )


class EstateAnswer(Answer):
    """A facility as residents know it: the estate it supplies. `phone` is the utility's hotline."""

    id: str
    code: str
    name: str
    address: str | None
    district: str | None
    utility: str
    timezone: str
    phone: str | None


class EstateDetail(EstateAnswer):
    """An estate with its buildings' codes, and its outages now, to come and ended lately."""

    buildings: list[str]
    outages: list[PublicOutageAnswer]

    @classmethod
    def of(cls, view: EstateView) -> Self:
        """Show an estate."""
        shown = EstateAnswer.model_validate(view.estate).model_dump()
        outages = [PublicOutageAnswer.of(outage) for outage in view.outages]
        return cls(**shown, buildings=list(view.buildings), outages=outages)


class SubscriptionAsked(Answer):
    """A code is on its way to the address, whether it was known before or not."""

    id: str
    facility_id: str
    channel: Literal["phone", "mail"]
    code_valid_minutes: int


class SubscriptionConfirmed(Answer):
    """The address follows the estate; `end_token` ends that by one click."""

    id: str
    facility_id: str
    confirmed_at: Instant | None
    end_token: str


def updated_of(outages: list[PublicOutage], now: datetime) -> datetime:
    """Return when any of the outages last changed; of none, when the day began.

    An empty feed so stays the same, and may be kept, for a day.
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return max((outage.updated_at for outage in outages), default=midnight)
