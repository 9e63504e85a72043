"""Everybody who might call, and what each rule makes of them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

import jwt

from server.auth import CUSTOMER
from tests.server.conftest import Live, signed
from tests.server.login import Login, SigningKey, from_now
from tests.server.matrix.table import Rule
from tests.server.unsigned import signed_with_public_key, unsigned
from tools.ledger.ledger import Ledger

Kind = Literal["nobody", "customer", "owner", "agent", "supervisor", "admin", "machine"]
STAFF: tuple[Kind, ...] = ("agent", "supervisor", "admin")
GOOD = timedelta(minutes=10)
PAST = -timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """`nobody`: without a token, or with one that must not count."""

    name: str
    kind: Kind
    token: str | None = None
    scopes: tuple[str, ...] = ()

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def expected(rule: Rule, caller: Caller) -> int | None:
    """The status of the refusal; None: let in."""
    if rule in {"open", "demo"}:
        return None
    if rule == "signed":
        return 400
    if caller.kind == "nobody":
        return 401
    if caller.kind == "customer" and rule in {"theirs", "own"}:
        return 404
    return None if _may(rule, caller) else 403


def _may(rule: Rule, caller: Caller) -> bool:
    customer, staff = caller.kind in {"customer", "owner"}, caller.kind in STAFF
    match rule:
        case "caller":
            return customer or staff
        case "customer":
            return customer
        case "theirs":
            return caller.kind == "owner" or staff
        case "own":
            return caller.kind == "owner"
        case "desk":
            return staff or "desk:read" in caller.scopes
        case "staff":
            return staff
        case "supervisor":
            return caller.kind in {"supervisor", "admin"}
        case _:
            return caller.kind in {"supervisor", "admin"} or "metrics" in caller.scopes


async def everybody(live: Live, login: Login, owner: str) -> list[Caller]:
    """`owner` is the owner's session; the bad ones are of the owner and of an admin, so that each would open a door."""
    async with live.http() as http:
        word = login.token(aud="counterfoil", sub="other", email="other@example.com", email_verified=True)
        other = (await http.post("/sessions", json={"identity_token": word})).json()["token"]
    return [
        Caller(name="none", kind="nobody"),
        Caller(name="anonymous session", kind="customer", token=await live.customer()),
        Caller(name="other customer", kind="customer", token=other),
        Caller(name="owner", kind="owner", token=owner),
        *(Caller(name=role, kind=role, token=colleague(login, role)) for role in STAFF),
        *(Caller(name=name, kind="nobody", token=token) for name, token in _bad(live, login, owner)),
        *await _machines(live.services.ledger),
    ]


def colleague(login: Login, role: str, **changes: Any) -> str:
    return login.token(**{"aud": "counterfoil:staff", "sub": f"u-{role}", "roles": [role], **changes})


def _bad(live: Live, login: Login, owner: str) -> list[tuple[str, str]]:
    secret = live.services.tokens.secret
    own_id = _subject(owner)
    session = {"sub": own_id, "aud": CUSTOMER, "exp": GOOD}
    good = colleague(login, "admin")
    return [
        ("expired session", signed(secret, **from_now({**session, "exp": PAST}))),
        ("expired staff", colleague(login, "admin", iat=2 * PAST, exp=PAST)),
        ("session, wrong audience", signed(secret, **from_now({**session, "aud": "counterfoil"}))),
        ("staff, wrong audience", colleague(login, "admin", aud="counterfoil")),
        ("session, wrong key", signed("k" * 32, **from_now(session))),
        ("staff, wrong key", login.token(key=SigningKey("first"), aud="counterfoil:staff", sub="u", roles=["admin"])),
        ("session, alg none", unsigned(signed(secret, **from_now(session)))),
        ("staff, alg none", unsigned(good)),
        ("staff, public key as secret", signed_with_public_key(good, login.keys[0].pem)),
        ("staff, no role of ours", colleague(login, "owner")),
    ]


def _subject(token: str) -> str:
    return str(jwt.decode(token, options={"verify_signature": False})["sub"])


async def _machines(ledger: Ledger) -> list[Caller]:
    callers = []
    for name, scopes in (("key metrics", ["metrics"]), ("key desk:read", ["desk:read"])):
        _, text = await ledger.create_service_key("machine", scopes, actor="test")
        callers.append(Caller(name=name, kind="machine", token=str(text), scopes=tuple(scopes)))
    both = ["metrics", "desk:read"]
    past = Ledger(ledger._database, lambda: datetime.now(UTC) - timedelta(days=91))
    _, expired = await past.create_service_key("machine", both, actor="test")
    key, revoked = await ledger.create_service_key("machine", both, actor="test")
    await ledger.revoke_service_key(key.id, actor="test")
    unknown = f"cf_{uuid4().hex[:12]}_{str(revoked)[16:]}"
    named = {"expired key": str(expired), "revoked key": str(revoked), "unknown key": unknown}
    return [*callers, *(Caller(name=name, kind="nobody", token=text) for name, text in named.items())]
