"""Keys of machines: kept as digests, they age, and nobody makes one younger or mightier."""

from datetime import timedelta

import pytest

from tests.tools.ledger.builders import START, Clock, behind_its_back
from tools.errors import Conflict, InvalidRequest, NotFound
from tools.ledger.ledger import Ledger
from tools.ledger.service_keys import KeyText, ServiceKey


async def made(ledger: Ledger) -> tuple[ServiceKey, KeyText]:
    return await ledger.create_service_key("prometheus", ["metrics"], actor="cli:sam")


async def test_a_key_opens_what_was_made_with_it_and_nothing_else(ledger: Ledger) -> None:
    (key, text), (other, _) = await made(ledger), await made(ledger)
    read = KeyText.read(str(text))
    assert read == text
    assert await ledger.service_key(key.id) == key
    assert [True, False] == [text.opens(key), text.opens(other)]
    assert not KeyText(id=key.id, secret=text.secret[:-1] + "?").opens(key)


@pytest.mark.parametrize(
    "text", ["", "cf_", "cf_abc", "cf_0123456789ab_short", "x" * 60, "cf_0123456789ab_" + "é" * 43]
)
def test_what_has_not_the_shape_of_a_key_is_none(text: str) -> None:
    assert KeyText.read(text) is None


async def test_the_secret_is_kept_nowhere(ledger: Ledger) -> None:
    key, text = await made(ledger)
    kept = repr([await ledger.service_keys(), await ledger.audit_entries()])
    assert key.digest in kept
    assert text.secret not in kept


async def test_a_key_ages_by_the_day(ledger: Ledger) -> None:
    key, _ = await made(ledger)
    second = timedelta(seconds=1)
    for age, ageing, expired, left in (
        (timedelta(0), False, False, 90),
        (timedelta(days=80) - second, False, False, 11),
        (timedelta(days=80), True, False, 10),
        (timedelta(days=90) - second, True, False, 1),
        (timedelta(days=90), True, True, 0),
        (timedelta(days=91), True, True, 0),
    ):
        now = START + age
        assert (ageing, expired, left) == (key.ageing(now), key.expired(now), key.days_left(now)), age


@pytest.mark.parametrize(
    ("name", "scopes"),
    [("", ["metrics"]), (" ", ["metrics"]), ("x" * 61, ["metrics"]), ("a\nb", ["metrics"]), ("a", []), ("a", ["root"])],
)
async def test_a_key_needs_a_name_and_scopes_that_there_are(ledger: Ledger, name: str, scopes: list[str]) -> None:
    with pytest.raises(InvalidRequest):
        await ledger.create_service_key(name, scopes, actor="cli:sam")
    assert [] == await ledger.service_keys()


async def test_its_use_is_noted_once_a_minute(ledger: Ledger, clock: Clock) -> None:
    key, _ = await made(ledger)
    noted = []
    for seconds in (0, 59, 1, 0):
        clock.forward(seconds=seconds)
        await ledger.note_key_use(key)
        kept = await ledger.service_key(key.id)
        assert kept is not None
        key = kept
        noted.append(key.last_used)
    assert [START, START, START + timedelta(minutes=1), START + timedelta(minutes=1)] == noted


async def test_a_revoked_key_stays_revoked_and_the_log_says_who_made_and_revoked_it(
    ledger: Ledger, clock: Clock
) -> None:
    key, _ = await made(ledger)
    clock.forward(hours=1)
    first = await ledger.revoke_service_key(key.id, actor="cli:kim")
    clock.forward(hours=1)
    again = await ledger.revoke_service_key(key.id, actor="cli:sam")
    assert (START + timedelta(hours=1), first) == (first.revoked, again)
    said = {"id": key.id, "name": "prometheus", "scopes": ["metrics"]}
    assert [
        ("service_key.created", {**said, "actor": "cli:sam"}),
        ("service_key.revoked", {**said, "actor": "cli:kim"}),
    ] == [(entry.event, entry.data) for entry in await ledger.audit_entries()]
    assert 2 == await ledger.verify_audit()


async def test_one_that_is_not_there_cannot_be_revoked(ledger: Ledger) -> None:
    with pytest.raises(NotFound, match="keys list"):
        await ledger.revoke_service_key("0123456789ab", actor="cli:sam")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE service_keys SET created = '2030-01-01 00:00:00+00:00'",
        """UPDATE service_keys SET scopes = '["metrics", "desk:read"]'""",
        "UPDATE service_keys SET digest = 'of another'",
        "UPDATE service_keys SET name = 'another'",
        "UPDATE service_keys SET revoked = NULL",
    ],
)
async def test_the_database_lets_nobody_make_a_key_younger_mightier_or_valid_again(ledger: Ledger, change: str) -> None:
    key, _ = await made(ledger)
    revoked = await ledger.revoke_service_key(key.id, actor="cli:sam")
    with pytest.raises(Conflict):
        await behind_its_back(ledger, change)
    assert revoked == await ledger.service_key(key.id)
