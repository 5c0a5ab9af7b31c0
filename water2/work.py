"""Work: one act, one transaction, one frozen instant. The only place that commits."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy.ext.asyncio as sa_asyncio
import sqlalchemy.orm as sa_orm
import sqlmodel
from sqlmodel.ext.asyncio.session import AsyncSession

from water2 import journal
from water2.database import Database
from water2.domain.access import SYSTEM, Action, Actor
from water2.domain.contacts import ContactBox
from water2.domain.errors import NotPermitted
from water2.domain.ledger import PendingEntry


class _SyncSession(sqlmodel.Session):
    execute = sa_orm.Session.execute


class WorkSession(AsyncSession):
    """SQLModel's session: `exec` reads models, `execute` runs set-wise statements.

    SQLModel deprecates `execute` for everything; for INSERT, UPDATE and rows of many columns it is
    the right call.
    """

    sync_session_class = _SyncSession
    execute = sa_asyncio.AsyncSession.execute


@dataclass
class Work:
    """A unit of work. Use-cases change facts and `record` entries; nobody else commits."""

    session: WorkSession
    now: datetime
    actor: Actor
    contacts: ContactBox
    idempotency_key: str | None = None
    entries: list[PendingEntry] = field(default_factory=list)

    def record(self, entry: PendingEntry) -> None:
        """Put an entry on the ledger with this act; it is appended last, just before the commit."""
        self.entries.append(entry)

    def today(self, timezone: str) -> date:
        """Return the civil day in a utility's zone."""
        return self.now.astimezone(ZoneInfo(timezone)).date()

    def require(self, action: Action) -> None:
        """Refuse an actor whose role does not allow the action.

        Raises:
            NotPermitted: always the answer, whatever the state of the facts.
        """
        if not self.actor.may(action):
            raise NotPermitted(action.value)


@dataclass
class Runtime:
    """What all edges share: the database, the clock, the key of personal text."""

    database: Database
    clock: Callable[[], datetime]
    contacts: ContactBox

    def now(self) -> datetime:
        """Return the installation's present instant (the demonstration's is settable)."""
        return self.clock()

    @asynccontextmanager
    async def work(
        self, actor: Actor = SYSTEM, *, idempotency_key: str | None = None
    ) -> AsyncIterator[Work]:
        """Open a writing unit: commits at the end with its entries, or rolls all back."""
        async with (
            self.database.writing(),
            WorkSession(self.database.writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            work = Work(session, self.now(), actor, self.contacts, idempotency_key)
            yield work
            if work.entries:
                await session.flush()
                await journal.append(
                    session,
                    work.entries,
                    now=work.now,
                    actor_id=actor.user_id,
                    idempotency_key=idempotency_key,
                )

    @asynccontextmanager
    async def read(self, actor: Actor = SYSTEM) -> AsyncIterator[Work]:
        """Open a reading unit; nothing done in it is ever committed."""
        async with WorkSession(self.database.reader, expire_on_commit=False) as session:
            yield Work(session, self.now(), actor, self.contacts)
