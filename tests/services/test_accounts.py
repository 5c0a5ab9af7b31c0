"""Passwords, and accounts as use-cases."""

import asyncio

import pytest
from pydantic import SecretStr, ValidationError
from sqlmodel import select

from water2.domain.access import SYSTEM, Role, User
from water2.domain.errors import Conflict, Invalid, NotPermitted
from water2.domain.organisation import OrganisationKind
from water2.services.account_changes import set_active
from water2.services.accounts import CreateUser, NewAccount, add_account, create_user
from water2.services.installation import put_under
from water2.services.passwords import hash_password, one_time_password, password_fits

PASSWORD = SecretStr("a long password")


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
    command = CreateUser(username="zhangsan", role=Role.crew, password=SecretStr(password))
    with pytest.raises(Invalid) as refused:
        async with lishui.runtime.work(lishui.actor(Role.administrator)) as work:
            await create_user(work, command)
    assert refused.value.problems[0].code == code


async def test_only_administrators_manage_users(lishui):
    command = CreateUser(username="zhangsan", role=Role.crew, password=PASSWORD)
    for role in (Role.manager, Role.crew, Role.health_inspector, Role.water_inspector):
        with pytest.raises(NotPermitted):
            async with lishui.runtime.work(lishui.actor(role)) as work:
                await create_user(work, command)


async def test_a_role_without_its_organisation_needs_one_named_or_put_above(lishui):
    command = CreateUser(username="li", role=Role.health_inspector, password=PASSWORD)

    async def created():
        async with lishui.runtime.work(lishui.actor(Role.administrator)) as work:
            return await create_user(work, command)

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


async def test_who_sits_at_the_machine_may_take_a_short_password_for_a_demonstration(lishui):
    command = CreateUser(username="crew", role=Role.crew, password=SecretStr("crew"))
    async with lishui.runtime.work(SYSTEM) as work:
        assert (await create_user(work, command)).username == "crew"
