"""Who may be whom."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from graphs.settings import Settings
from server.auth import CUSTOMER, STAFF, Tokens
from server.auth.tokens import host_site, staff_login
from tests.fixtures.keys import TEXT
from tests.server.conftest import IDENTITY_SECRET, STAFF_SECRET, Live, serving, settings_for, signed
from tests.server.login import from_now
from tools.errors import Unauthorized
from tools.ledger.ledger import Ledger

SECRET = "own-secret-of-at-least-32-bytes!!"
SETTINGS = Settings(_env_file=None, staff_secret=STAFF_SECRET, identity_secret=IDENTITY_SECRET)
NOBODY = httpx.AsyncClient()
TOKENS = Tokens(secret=SECRET, host=host_site(SETTINGS, NOBODY), staff=staff_login(SETTINGS, NOBODY))
SOON, GONE = timedelta(minutes=30), -timedelta(hours=1)
SHOP: dict[str, Any] = {
    "iss": "shop", "aud": "counterfoil", "sub": "7", "email": "Jo@Example.com", "iat": timedelta(0), "exp": SOON,
}  # fmt: skip


def token_of(secret: str, **claims: Any) -> str:
    """A claim of None is left out, and a time is counted from now."""
    return signed(secret, **{name: value for name, value in from_now(claims).items() if value is not None})


async def test_anonymous_customers_are_strangers_to_each_other() -> None:
    one, two = [await TOKENS.principal(TOKENS.anonymous()) for _ in range(2)]
    assert one.id != two.id
    assert (one.role, one.email, one.is_staff) == ("customer", None, False)


async def test_a_vouched_customer_has_their_address_and_the_same_id_each_time() -> None:
    one, two = [await TOKENS.principal(await TOKENS.vouched(token_of(IDENTITY_SECRET, **SHOP))) for _ in range(2)]
    assert one == two
    assert one.email == "jo@example.com"


@pytest.mark.parametrize(
    "change",
    [
        {"exp": GONE},
        {"aud": "another service"},
        {"iss": None},
        {"email": None},
        {"email": "no address"},
        {"email_verified": False},
        {"exp": None},
        {"sub": None},
        {"iat": None},
        {"exp": timedelta(hours=2)},
    ],
)
async def test_an_identity_token_must_be_whole(change: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized):
        await TOKENS.vouched(token_of(IDENTITY_SECRET, **{**SHOP, **change}))


async def test_an_identity_token_signed_by_somebody_else_is_refused() -> None:
    with pytest.raises(Unauthorized):
        await TOKENS.vouched(token_of(SECRET, **SHOP))


async def test_without_an_identity_secret_nobody_is_vouched_for() -> None:
    with pytest.raises(Unauthorized, match="IDENTITY_SECRET"):
        await Tokens(secret=SECRET).vouched(token_of(IDENTITY_SECRET, **SHOP))


async def test_a_staff_token_of_the_companys_login_has_its_role() -> None:
    token = token_of(STAFF_SECRET, sub="u1", name="Ana", role="agent", aud=STAFF, exp=SOON)
    agent = await TOKENS.principal(token)
    assert (agent.id, agent.name, agent.role, agent.is_staff) == ("u1", "Ana", "agent", True)


@pytest.mark.parametrize(
    ("secret", "claims"),
    [
        (SECRET, {"sub": "me", "role": "admin", "aud": STAFF, "exp": SOON}),
        (STAFF_SECRET, {"sub": "me", "role": "customer", "aud": STAFF, "exp": SOON}),
        (STAFF_SECRET, {"sub": "me", "role": "admin", "aud": CUSTOMER, "exp": SOON}),
        (STAFF_SECRET, {"sub": "me", "role": "admin", "aud": STAFF}),
        (STAFF_SECRET, {"role": "admin", "aud": STAFF, "exp": SOON}),
        (IDENTITY_SECRET, {**SHOP, "aud": STAFF, "role": "admin"}),
    ],
)
async def test_nobody_becomes_staff_by_asking(secret: str, claims: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized):
        await TOKENS.principal(token_of(secret, **claims))


async def test_a_customers_token_with_a_role_written_in_is_a_customers() -> None:
    token = token_of(SECRET, sub="anon_1", role="admin", aud=CUSTOMER, exp=SOON)
    assert (await TOKENS.principal(token)).role == "customer"


async def test_a_token_without_signature_is_refused() -> None:
    head = "eyJhbGciOiJub25lIn0"
    body = token_of(SECRET, sub="x", aud=CUSTOMER, exp=SOON).split(".")[1]
    with pytest.raises(Unauthorized):
        await TOKENS.principal(f"{head}.{body}.")


async def test_a_signed_in_customer_can_read_their_billing_at_once(live: Live) -> None:
    async with live.http() as client:
        given = await client.post("/sessions", json={"identity_token": token_of(IDENTITY_SECRET, **SHOP)})
    async with live.http(given.json()["token"]) as client:
        thread = (await client.post("/threads", json={})).json()["thread_id"]
    bound = await live.services.ledger.identity(thread)
    assert (bound.level, bound.email) == (1, "jo@example.com")


async def test_a_bad_identity_token_gives_no_session(live: Live) -> None:
    async with live.http() as client:
        answer = await client.post("/sessions", json={"identity_token": "nonsense"})
    assert answer.status_code == 401


async def test_staff_tokens_for_everybody_are_a_thing_of_demo_mode(
    ledger: Ledger, redis_url: str, tmp_path: Path
) -> None:
    real = settings_for(
        tmp_path,
        redis_url,
        stripe_secret_key="sk_test_notdemo",
        smtp_url="smtp://mail.example.com:587",
        encryption_keys=TEXT,
    )
    async with serving(real, ledger) as live, live.http() as client:
        staff: httpx.Response = await client.post("/demo/staff", json={"name": "Eve"})
        inbox = await client.get("/demo/inbox", params={"email": "jo@example.com"})
        shown = await client.get("/info")
    assert (staff.status_code, inbox.status_code) == (404, 404)
    assert shown.json()["counterfoil"]["demo"] is False
