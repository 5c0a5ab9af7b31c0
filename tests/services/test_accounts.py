"""Passwords, and accounts as use-cases."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from tests.builders import install
from water2.domain.access import SYSTEM, Role, User, UserSession
from water2.domain.errors import Conflict, Invalid, NotPermitted
from water2.domain.organisation import Jurisdiction, Organisation, OrganisationKind
from water2.services.account_changes import (
    SetRole,
    reset_password,
    set_active,
    set_role,
)
from water2.services.accounts import (
    CreateUser,
    NewAccount,
    add_account,
    create_user,
    hash_given,
)
from water2.services.installation import FoundUtility, found_utility, put_under
from water2.services.own_password import ChangePassword, change_password, prepare_change
from water2.services.passwords import hash_password, one_time_password, password_fits
from water2.services.sign_in import NotSignedIn, SignIn, sign_in
from water2.work import Runtime

PASSWORD = SecretStr("a long password")
HEALTH = OrganisationKind.health_regulator


async def test_a_password_fits_its_own_hash_alone():
    kept = await hash_password("a long password")
    assert kept.startswith("$argon2id$")
    assert "long" not in kept
    assert await password_fits("a long password", kept)
    assert not await password_fits("another password", kept)
    assert not await password_fits("a long password", None)
    assert not await password_fits("a long password", "no hash at all")


def test_one_time_passwords_differ_and_can_be_read_out():
    first, second = one_time_password(), one_time_password()
    assert first != second
    assert len(first) == 23
    assert [len(group) for group in first.split("-")] == [5, 5, 5, 5]


@pytest.mark.parametrize("username", ["", "two words", "a/b", "x" * 61, "naïve\x00"])
def test_user_names_are_words(username):
    with pytest.raises(ValidationError):
        CreateUser(username=username, role=Role.crew, password=PASSWORD)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("seven77", "password_too_short"),
        ("x" * 201, "password_too_long"),
        ("ZhangSan", "password_is_username"),
    ],
)
async def test_passwords_that_are_no_good_are_refused(lishui, password, code):
    with pytest.raises(Invalid) as refused:
        await hash_given(lishui.actor(Role.administrator), SecretStr(password), "zhangsan")
    assert refused.value.problems[0].code == code


async def test_only_administrators_manage_users(lishui):
    command = CreateUser(username="zhangsan", role=Role.crew, password=PASSWORD)
    for role in (Role.manager, Role.crew, Role.health_inspector, Role.water_inspector):
        with pytest.raises(NotPermitted):
            async with lishui.runtime.work(lishui.actor(role)) as work:
                await create_user(work, command, "x")
        with pytest.raises(NotPermitted):
            await hash_given(lishui.actor(role), PASSWORD, "zhangsan")


async def test_a_role_without_its_organisation_needs_one_named_or_put_above(lishui):
    command = CreateUser(username="li", role=Role.health_inspector, password=PASSWORD)

    async def created():
        async with lishui.runtime.work(lishui.actor(Role.administrator)) as work:
            return await create_user(work, command, "x")

    with pytest.raises(Invalid) as refused:
        await created()
    assert refused.value.problems[0].code == "no_organisation_for_role"
    async with lishui.runtime.work(SYSTEM) as work:
        regulator = await put_under(
            work, lishui.utility, OrganisationKind.health_regulator, "卫健委"
        )
    assert (await created()).organisation_id == regulator.id


async def test_two_administrators_who_disable_each_other_at_once_leave_one(lishui):
    async with lishui.runtime.work(SYSTEM) as work:
        organisation = lishui.utility.organisation_id
        pair = [
            await add_account(work, NewAccount(name, Role.administrator, "x", organisation))
            for name in ("one", "two")
        ]

    async def disable(user):
        async with lishui.runtime.work(lishui.actor(Role.administrator)) as work:
            await set_active(work, user.id, active=False)

    outcomes = await asyncio.gather(*(disable(user) for user in pair), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "NoneType"]
    async with lishui.runtime.read() as work:
        users = await work.session.exec(select(User).where(User.active))
        assert len(users.all()) == 1


async def test_a_user_name_taken_in_other_letters_is_taken(lishui):
    account = NewAccount("Zhang", Role.crew, "x", lishui.utility.organisation_id)
    async with lishui.runtime.work(SYSTEM) as work:
        assert (await add_account(work, account)).username == "zhang"
    with pytest.raises(Conflict):
        async with lishui.runtime.work(SYSTEM) as work:
            await add_account(work, account)


async def test_who_sits_at_the_machine_may_take_a_short_password_for_a_demonstration():
    assert await password_fits("crew", await hash_given(SYSTEM, SecretStr("crew"), "crew"))


@pytest.fixture
async def second(lishui):
    """Another utility of the same installation."""
    return await install(lishui.runtime, code="SECOND")


@pytest.fixture
async def inspector(lishui):
    """An inspector, disabled, of a regulator that oversees the one utility."""
    async with lishui.runtime.work(SYSTEM) as work:
        regulator = await put_under(work, lishui.utility, HEALTH, "卫健委")
        account = NewAccount("inspector", Role.health_inspector, "x", regulator.id)
        user = await add_account(work, account)
        user.active = False
        return user


MANAGING = {
    "create": lambda work, user: create_user(
        work,
        CreateUser(
            username="new",
            role=Role.health_inspector,
            password=PASSWORD,
            organisation_id=user.organisation_id,
        ),
        "x",
    ),
    "reset": lambda work, user: reset_password(work, user.id, "y"),
    "enable": lambda work, user: set_active(work, user.id, active=True),
    "change role": lambda work, user: set_role(work, user.id, SetRole(role=Role.health_inspector)),
}


@pytest.mark.parametrize("act", MANAGING.values(), ids=MANAGING)
async def test_a_regulators_people_are_managed_by_whoever_has_every_utility_under_it(
    lishui, second, inspector, act
):
    administrator = lishui.actor(Role.administrator)
    async with lishui.runtime.work(SYSTEM) as work:
        await put_under(work, second.utility, HEALTH, "卫健委")
    for own in (lishui.utility, second.utility):
        with pytest.raises(NotPermitted):
            async with lishui.runtime.work(replace(administrator, utility_ids=(own.id,))) as work:
                await act(work, inspector)
    of_both = replace(administrator, utility_ids=(lishui.utility.id, second.utility.id))
    async with lishui.runtime.work(of_both) as work:
        await act(work, inspector)


async def test_an_administrator_cannot_disable_the_inspector_of_another_utility_too(
    lishui, second, inspector
):
    async with lishui.runtime.work(SYSTEM) as work:
        await put_under(work, second.utility, HEALTH, "卫健委")
        await set_active(work, inspector.id, active=True)
    with pytest.raises(NotPermitted):
        async with lishui.runtime.work(lishui.actor(Role.administrator)) as work:
            await set_active(work, inspector.id, active=False)


async def test_an_administrator_does_not_take_up_a_regulator_that_is_there(
    lishui, second, inspector
):
    async with second.runtime.work(second.actor(Role.administrator)) as work:
        founded = await put_under(work, second.utility, HEALTH, "另一卫健委")
    assert founded.id != inspector.organisation_id
    with pytest.raises(Conflict) as refused:
        async with second.runtime.work(second.actor(Role.administrator)) as work:
            await put_under(work, second.utility, HEALTH, "卫健委")
    assert refused.value.code == "organisation_exists"
    async with second.runtime.read() as work:
        under = select(Jurisdiction.utility_id).where(
            Jurisdiction.organisation_id == inspector.organisation_id
        )
        assert (await work.session.exec(under)).all() == [lishui.utility.id]


class Interrupted(Runtime):
    """A runtime whose second unit opens only after something else was done."""

    opened = 0

    @asynccontextmanager
    async def work(self, actor=SYSTEM, *, idempotency_key=None):
        self.opened += 1
        if self.opened == 2:
            await self.meanwhile(Runtime(self.database, self.clock, self.contacts))
        async with super().work(actor, idempotency_key=idempotency_key) as work:
            yield work


MEANWHILE = {
    "reset": lambda work, user: reset_password(work, user.id, "quite another one's hash"),
    "disabled": lambda work, user: set_active(work, user.id, active=False),
}


@pytest.mark.parametrize("act", MEANWHILE.values(), ids=MEANWHILE)
async def test_a_sign_in_under_way_does_not_outlive_what_happens_to_the_account(lishui, act):
    runtime = lishui.runtime
    kept = await hash_password(PASSWORD.get_secret_value())
    async with runtime.work(SYSTEM) as work:
        account = NewAccount("zhang", Role.crew, kept, lishui.utility.organisation_id)
        user = await add_account(work, account)

    async def meanwhile(other):
        async with other.work(SYSTEM) as work:
            await act(work, user)

    interrupted = Interrupted(runtime.database, runtime.clock, runtime.contacts)
    interrupted.meanwhile = meanwhile
    command = SignIn(username="zhang", password=PASSWORD)
    with pytest.raises(NotSignedIn, match="sign_in_refused"):
        await sign_in(interrupted, command, address="here", at=runtime.now(), hours=1)
    async with runtime.read() as work:
        assert (await work.session.exec(select(UserSession))).all() == []


async def test_a_reset_meanwhile_is_the_last_word_over_ones_own_change(lishui):
    runtime = lishui.runtime
    kept = await hash_password(PASSWORD.get_secret_value())
    async with runtime.work(SYSTEM) as work:
        account = NewAccount("zhang", Role.crew, kept, lishui.utility.organisation_id)
        user = await add_account(work, account)
    command = SignIn(username="zhang", password=PASSWORD)
    caller = (await sign_in(runtime, command, address="here", at=runtime.now(), hours=1)).caller
    wanted = ChangePassword(current=PASSWORD, new=SecretStr("quite another one"))
    change = await prepare_change(runtime, caller, wanted, address="here", at=runtime.now())
    async with runtime.work(SYSTEM) as work:
        await reset_password(work, user.id, "the hash of a one-time password")
    with pytest.raises(NotSignedIn, match="password_wrong"):
        async with runtime.work(caller.actor) as work:
            await change_password(work, caller, change)
    async with runtime.read() as work:
        kept = (await work.session.get_one(User, user.id)).password_hash
    assert kept == "the hash of a one-time password"


async def test_a_utility_is_under_a_regulator_once(lishui, inspector):
    with pytest.raises(Conflict) as refused:
        async with lishui.runtime.work(SYSTEM) as work:
            await put_under(work, lishui.utility, HEALTH, "卫健委")
    assert refused.value.code == "under_already"


async def test_two_who_found_a_regulator_of_one_name_at_once_found_one(lishui, second):
    async def found(installation):
        administrator = installation.actor(Role.administrator)
        async with installation.runtime.work(administrator) as work:
            await put_under(work, installation.utility, HEALTH, "卫健委")

    outcomes = await asyncio.gather(found(lishui), found(second), return_exceptions=True)
    assert sum(isinstance(one, Conflict | IntegrityError) for one in outcomes) == 1
    async with lishui.runtime.read() as work:
        named = await work.session.exec(select(Organisation).where(Organisation.kind == HEALTH))
        assert len(named.all()) == 1


async def test_two_utilities_do_not_bear_one_name(lishui):
    with pytest.raises(Conflict) as refused:
        async with lishui.runtime.work(SYSTEM) as work:
            await found_utility(work, FoundUtility("NEW", lishui.utility.name, "lishui"))
    assert refused.value.code == "utility_name_taken"
