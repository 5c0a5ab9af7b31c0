"""Who may do what: roles, the actor of an act, users and their sessions (design.md section 8)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from water2.domain.columns import enum_field, id_field, optional_reference, reference
from water2.domain.organisation import OrganisationKind


class Role(StrEnum):
    """The part a signed-in person plays; `system` is the scheduler and the command line."""

    administrator = "administrator"
    manager = "manager"
    crew = "crew"
    health_inspector = "health_inspector"
    water_inspector = "water_inspector"
    lab = "lab"
    system = "system"


class Action(StrEnum):
    """What an actor may be allowed to do; every use-case names one."""

    read = "read"
    administer = "administer"  # users, settings, demo clock
    keep_register = "keep_register"
    import_files = "import_files"
    plan = "plan"  # plan and assign work orders
    do_work = "do_work"  # start and complete work orders, patrols, samples
    report_results = "report_results"  # enter laboratory reports, see one's own
    correct = "correct"
    plan_outages = "plan_outages"  # create, publish, reschedule, cancel
    run_outages = "run_outages"  # start, extend, restore; posters; what stops were found
    keep_deliveries = "keep_deliveries"  # requeue, waive, resume a channel, endpoints, templates
    report_anomalies = "report_anomalies"  # open, stop supply, findings, controls
    handle_anomalies = "handle_anomalies"  # assess, resume, close, report to the regulators
    supervise = "supervise"  # acknowledge reports, ask about them


_CREW = {
    Action.read,
    Action.do_work,
    Action.report_results,
    Action.run_outages,
    Action.report_anomalies,
}
_MANAGER = _CREW | {
    Action.keep_register,
    Action.import_files,
    Action.plan,
    Action.correct,
    Action.plan_outages,
    Action.keep_deliveries,
    Action.handle_anomalies,
}
MATRIX: dict[Role, frozenset[Action]] = {
    Role.administrator: frozenset({Action.read, Action.administer}),
    Role.manager: frozenset(_MANAGER),
    Role.crew: frozenset(_CREW),
    Role.health_inspector: frozenset({Action.read, Action.supervise}),
    Role.water_inspector: frozenset({Action.read, Action.supervise}),
    Role.lab: frozenset({Action.report_results}),
    Role.system: frozenset(Action),
}
INSPECTORS = frozenset({Role.health_inspector, Role.water_inspector})
ROLES_OF: dict[OrganisationKind, frozenset[Role]] = {
    OrganisationKind.utility: frozenset({Role.administrator, Role.manager, Role.crew}),
    OrganisationKind.health_regulator: frozenset({Role.health_inspector}),
    OrganisationKind.water_regulator: frozenset({Role.water_inspector}),
    OrganisationKind.laboratory: frozenset({Role.lab}),
}


@dataclass(frozen=True)
class Actor:
    """Who acts, and on whose records: `utility_ids` are one's own utility, or those under one.

    `client_ids` are the utilities a laboratory reports to. Their records are not its to see: what
    it may see of them is given by the use-cases about its own reports, one by one.
    """

    user_id: str
    role: Role
    organisation_id: str | None = None
    utility_ids: tuple[str, ...] = ()
    client_ids: tuple[str, ...] = ()
    staff_id: str | None = None
    username: str = ""

    def may(self, action: Action) -> bool:
        """Tell whether the role allows the action."""
        return action in MATRIX[self.role]

    def sees(self, utility_id: str) -> bool:
        """Tell whether the utility's records are the actor's to see."""
        return self.role is Role.system or utility_id in self.utility_ids


SYSTEM = Actor(user_id="system", role=Role.system, username="system")


class User(SQLModel, table=True):
    """An account. Its random id, never the name, is the actor in ledger entries."""

    id: str = id_field()
    organisation_id: str = reference("organisation")
    username: str = Field(max_length=60, unique=True)
    role: Role = enum_field(Role)
    password_hash: str = Field(max_length=200)
    must_change_password: bool = False
    active: bool = True
    staff_id: str | None = optional_reference("staff", index=False)
    created_at: datetime
    version: int = 1


class UserSession(SQLModel, table=True):
    """A signed-in session; only the SHA-256 of its token is kept."""

    __tablename__ = "user_session"

    id: str = id_field()
    user_id: str = reference("user")
    token_sha256: str = Field(max_length=64, unique=True)
    csrf_token: str = Field(max_length=64)
    created_at: datetime
    expires_at: datetime = Field(index=True)


class SignInFailure(SQLModel, table=True):
    """A failed sign-in, kept as long as the throttle looks back."""

    __tablename__ = "sign_in_failure"

    id: str = id_field()
    key_sha256: str = Field(max_length=64, index=True)  # of the user name, or of the address
    failed_at: datetime = Field(index=True)
