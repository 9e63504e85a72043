"""Words of others, signed with keys that they publish: who is believed, what is refused, and how keys rotate."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from graphs.settings import Settings
from server.auth import Tokens
from server.auth.published_keys import FRESH, LONGEST, PAUSE, PublishedKeys, usable
from server.auth.roles import role_in
from tests.server.conftest import IDENTITY_SECRET, Live, serving, settings_for, signed
from tests.server.login import ISSUER, Login, SigningKey, from_now, logging_in
from tests.server.unsigned import encoded, header, signed_with_public_key, unsigned
from tools.errors import Unauthorized, Unavailable
from tools.ledger.ledger import Ledger

JO: dict[str, Any] = {"aud": "counterfoil", "sub": "7", "email": "Jo@Example.com", "email_verified": True}
ANA: dict[str, Any] = {"aud": "counterfoil:staff", "sub": "u-1", "name": "Ana", "realm_access": {"roles": ["agent"]}}


@pytest.fixture
def login() -> Iterator[Login]:
    with logging_in() as started:
        yield started


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=5) as client:
        yield client


@pytest.fixture
def tokens(login: Login, http: httpx.AsyncClient, tmp_path: Path) -> Tokens:
    return Tokens.from_settings(settings_of(login, tmp_path), http)


def settings_of(login: Login, home: Path, redis_url: str = "redis://127.0.0.1", **more: Any) -> Settings:
    """One company's login for both: it tells customers from staff by the audience."""
    given: dict[str, Any] = {
        "identity_jwks_url": login.url,
        "identity_issuer": ISSUER,
        "staff_secret": None,
        "staff_jwks_url": login.url,
        "staff_issuer": ISSUER,
        "staff_roles_claim": "realm_access.roles",
    }
    return settings_for(home, redis_url, **{**given, **more})


async def test_a_customer_of_the_host_site_is_believed_by_its_published_key(tokens: Tokens, login: Login) -> None:
    login.keys = [SigningKey("elliptic"), SigningKey("classic", "RS256")]
    one, two = [await tokens.principal(await tokens.vouched(login.token(key=key, **JO))) for key in login.keys]
    assert one == two
    assert ("customer", "jo@example.com") == (one.role, one.email)


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"aud": "another"}, "`aud` has to be 'counterfoil'"),
    ({"aud": None}, "lacks `aud`"),
    ({"iss": "https://evil.example.com"}, "`iss`"),
    ({"iss": None}, "lacks `iss`"),
    ({"sub": None}, "lacks `sub`"),
    ({"sub": ""}, "names nobody"),
    ({"sub": "a\x00b"}, "names nobody"),
    ({"sub": 7}, "does not verify"),
    ({"exp": -timedelta(minutes=5)}, "has expired"),
    ({"exp": None}, "lacks `exp`"),
    ({"iat": None}, "lacks `iat`"),
    ({"exp": timedelta(hours=2)}, "lives too long: have it expire within 60 minutes"),
    ({"exp": timedelta(minutes=20), "iat": -timedelta(hours=1)}, "lives too long"),
    ({"iat": timedelta(minutes=5)}, "not valid yet"),
    ({"nbf": timedelta(minutes=5)}, "not valid yet"),
    ({"email": None}, "lacks `email`"),
    ({"email": "no address"}, "no verified e-mail"),
    ({"email_verified": False}, "no verified e-mail"),
    ({"email_verified": None}, "no verified e-mail"),
    ({"email_verified": "true"}, "no verified e-mail"),
]


@pytest.mark.parametrize(
    ("change", "said"), CHANGES, ids=[f"{place}-{next(iter(change))}" for place, (change, _) in enumerate(CHANGES)]
)
async def test_what_is_wrong_with_an_identity_token_is_said(
    tokens: Tokens, login: Login, change: dict[str, Any], said: str
) -> None:
    assert await tokens.vouched(login.token(**JO)), "the unchanged one is good"
    claims = {**JO, **change}
    key = login.keys[0]
    token = login.token(**claims) if claims["sub"] != 7 else _with_a_number(key, login, claims)
    with pytest.raises(Unauthorized) as refused:
        await tokens.vouched(token)
    assert said in refused.value.message


def _with_a_number(key: SigningKey, login: Login, claims: dict[str, Any]) -> str:
    """PyJWT writes no such token, but others do."""
    top, body, _ = login.token(**{**claims, "sub": "x"}).split(".")
    read = json.loads(base64.urlsafe_b64decode(body + "=="))
    changed = encoded(json.dumps({**read, "sub": claims["sub"]}).encode())
    return _signed_anew(top, changed, key)


def _signed_anew(top: str, body: str, key: SigningKey) -> str:
    algorithm = jwt.algorithms.get_default_algorithms()[key.algorithm]
    mark = algorithm.sign(f"{top}.{body}".encode(), key.private)
    return f"{top}.{body}.{encoded(mark)}"


async def test_no_algorithm_is_believed_but_that_of_the_key(tokens: Tokens, login: Login) -> None:
    """Among them the oldest trick: the public key, which everybody has, as the secret of HS256."""
    login.keys = [key, classic] = [SigningKey("first"), SigningKey("classic", "RS256")]
    good = login.token(**JO)
    top, body, mark = good.split(".")
    claims = jwt.decode(good, options={"verify_signature": False})
    stranger = SigningKey("first")
    tricks = {
        "none": unsigned(good),
        "none, signed": f"{header(alg='None', kid='first')}.{body}.{mark}",
        "no kid": f"{header(alg='ES256')}.{body}.{mark}",
        "another's key under this id": stranger.signs(claims),
        "a key of its own in the header": stranger.signs(claims, jwk=stranger.published()),
        "RS256 with the key of ES256": _signed_anew(header(alg="RS256", kid="first"), body, classic),
        "ES256 with the key of RS256": _signed_anew(header(alg="ES256", kid="classic"), body, key),
        "a body of another": f"{top}.{encoded(json.dumps({**claims, 'sub': '8'}).encode())}.{mark}",
        **{
            f"the public key as a secret ({name})": signed_with_public_key(good, secret)
            for name, secret in _public(key, classic)
        },
    }
    assert await tokens.vouched(good)
    for name, token in tricks.items():
        with pytest.raises(Unauthorized):
            pytest.fail(f"{name} was believed: {await tokens.vouched(token)}")


def _public(key: SigningKey, classic: SigningKey) -> Iterator[tuple[str, bytes]]:
    yield "PEM", key.pem
    yield "PEM of RSA", classic.pem
    yield "JWK", json.dumps(key.published()).encode()


async def test_a_shared_secret_vouches_beside_the_published_keys(tokens: Tokens) -> None:
    """Who signs with our secret vouches for the address by signing, unless it says that it does not."""
    claims = {**JO, "iss": ISSUER, "iat": timedelta(0), "exp": timedelta(minutes=10)}
    del claims["email_verified"]
    assert await tokens.vouched(signed(IDENTITY_SECRET, **from_now(claims)))
    for change in ({"email_verified": False}, {"iss": "another"}, {"exp": timedelta(hours=3)}):
        with pytest.raises(Unauthorized):
            await tokens.vouched(signed(IDENTITY_SECRET, **from_now({**claims, **change})))


async def test_staff_come_from_the_companys_login_with_their_highest_role(tokens: Tokens, login: Login) -> None:
    seen = await tokens.principal(login.token(**{**ANA, "realm_access": {"roles": ["agent", "supervisor", "other"]}}))
    assert ("u-1", "Ana", "supervisor") == (seen.id, seen.name, seen.role)
    plain = await tokens.principal(login.token(**{**ANA, "name": None, "preferred_username": "ana"}))
    nameless = await tokens.principal(login.token(**{**ANA, "name": "a\nb"}))
    assert ["ana", "u-1"] == [plain.name, nameless.name]


@pytest.mark.parametrize(
    "change",
    [
        {"realm_access": {"roles": ["owner"]}},
        {"realm_access": {"roles": {"agent": True}}},
        {"realm_access": "agent"},
        {"realm_access": None, "role": "admin", "roles": ["admin"]},
        {"aud": "counterfoil"},
        {"aud": "account"},
        {"iss": "https://evil.example.com"},
        {"exp": timedelta(days=2)},
        {"exp": -timedelta(minutes=5)},
        {"sub": None},
    ],
)
async def test_nobody_becomes_staff_by_another_claim(tokens: Tokens, login: Login, change: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized):
        await tokens.principal(login.token(**{**ANA, **change}))


async def test_a_customers_token_is_no_staff_token_and_the_other_way_round(tokens: Tokens, login: Login) -> None:
    with pytest.raises(Unauthorized, match="`aud`"):
        await tokens.principal(login.token(**JO, realm_access={"roles": ["admin"]}))
    with pytest.raises(Unauthorized, match="`aud`"):
        await tokens.vouched(login.token(**ANA, email="jo@example.com", email_verified=True))


@pytest.mark.parametrize(
    ("claims", "path", "role"),
    [
        ({"roles": "agent"}, "roles", "agent"),
        ({"roles": ["agent", "admin"]}, "roles", "admin"),
        ({"resource_access": {"desk": {"roles": ["supervisor"]}}}, "resource_access.desk.roles", "supervisor"),
        ({"https://acme.com/roles": ["agent"]}, "https://acme.com/roles", "agent"),
        ({"roles": ["customer", "service", None, 7, {}]}, "roles", None),
        ({"roles": "agents"}, "roles", None),
        ({}, "a.b.c", None),
    ],
)
def test_a_role_is_found_where_it_is_written(claims: dict[str, Any], path: str, role: str | None) -> None:
    assert role == role_in(claims, path)


@dataclass
class Watch:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


class TestRotation:
    @pytest.fixture
    def watch(self) -> Watch:
        return Watch()

    @pytest.fixture
    def keys(self, login: Login, http: httpx.AsyncClient, watch: Watch) -> PublishedKeys:
        return PublishedKeys(url=login.url, http=http, clock=watch)

    async def test_a_key_is_read_once_and_kept(self, keys: PublishedKeys, login: Login) -> None:
        for _ in range(5):
            assert "ES256" == (await keys.find("first")).algorithm
        assert 1 == login.reads

    async def test_a_new_key_counts_at_its_first_token(self, keys: PublishedKeys, login: Login, watch: Watch) -> None:
        await keys.find("first")
        login.keys = [SigningKey("second")]
        watch.now += PAUSE
        await keys.find("second")
        with pytest.raises(Unauthorized, match="does not publish"):
            await keys.find("first")
        assert 2 == login.reads

    async def test_made_up_ids_do_not_make_us_hammer_the_issuer(
        self, keys: PublishedKeys, login: Login, watch: Watch
    ) -> None:
        await keys.find("first")
        for _ in range(3):
            watch.now += PAUSE
            asked = await asyncio.gather(*(keys.find(f"made-up-{n}") for n in range(50)), return_exceptions=True)
            assert {Unauthorized} == {type(answer) for answer in asked}
        assert 4 == login.reads

    async def test_many_at_once_read_the_keys_once(self, keys: PublishedKeys, login: Login) -> None:
        await asyncio.gather(*(keys.find("first") for _ in range(50)))
        assert 1 == login.reads

    async def test_while_the_issuer_is_away_the_keys_go_on_counting_for_a_day(
        self, keys: PublishedKeys, login: Login, watch: Watch
    ) -> None:
        await keys.find("first")
        login.status = 503
        for later in (FRESH, LONGEST - FRESH - 1):
            watch.now += later
            await keys.find("first")
        with pytest.raises(Unavailable):
            await keys.find("second")
        watch.now += PAUSE
        with pytest.raises(Unavailable):
            await keys.find("first")

    async def test_an_issuer_that_was_never_there_is_asked_again_and_believed_then(
        self, keys: PublishedKeys, login: Login, watch: Watch
    ) -> None:
        login.status = 500
        for _ in range(5):
            with pytest.raises(Unavailable):
                await keys.find("first")
        assert 1 == login.reads
        login.status = 200
        watch.now += PAUSE
        await keys.find("first")

    @pytest.mark.parametrize(
        "body",
        [
            b"not json",
            b"[]",
            b"{}",
            b'{"keys": []}',
            b'{"keys": 7}',
            b"\xff",
            b"[" * 9999,
            b'{"keys": [{"kty": "EC", "alg": []}]}',
        ],
    )
    async def test_what_is_no_key_set_is_an_issuer_that_is_away(
        self, keys: PublishedKeys, login: Login, body: bytes
    ) -> None:
        login.body = body
        with pytest.raises(Unavailable):
            await keys.find("first")

    async def test_nobody_is_sent_elsewhere_for_keys(self, keys: PublishedKeys, login: Login) -> None:
        login.status = 302
        with pytest.raises(Unavailable):
            await keys.find("first")


def test_only_public_signing_keys_of_the_two_kinds_with_an_id_are_used() -> None:
    weak = SigningKey("weak", "RS256", rsa.generate_private_key(public_exponent=65537, key_size=1024))  # noqa: S505 - the point
    curve = SigningKey("curve", "ES256", ec.generate_private_key(ec.SECP384R1()))
    good = SigningKey("good")
    private = jwt.algorithms.ECAlgorithm.to_jwk(SigningKey("private").private, as_dict=True)
    published = [
        weak.published(),
        curve.published(alg=None),
        good.published(),
        good.published(kid="encrypts", use="enc"),
        good.published(kid=None),
        good.published(kid=7),
        good.published(kid=[]),
        good.published(kid="other", alg="ES512"),
        {**private, "kid": "private"},
        {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTMy", "kid": "secret", "alg": "HS256"},
        "not a key",
    ]
    assert {"good"} == usable(json.dumps({"keys": published}).encode()).keys()
    with pytest.raises(ValueError, match="no signing key"):
        usable(json.dumps({"keys": [weak.published()]}).encode())


async def test_over_http_a_customer_and_a_colleague_come_in_and_an_issuer_that_is_away_lets_nobody_in(
    ledger: Ledger, redis_url: str, login: Login, tmp_path: Path
) -> None:
    async with serving(settings_of(login, tmp_path, redis_url), ledger) as live:
        login.status = 500
        assert (503, "unavailable") == await _session(live, login.token(**JO))
        login.status = 200
        live.services.tokens.host.keys._tried_at = float("-inf")  # type: ignore[union-attr]
        assert 200 == (await _session(live, login.token(**JO)))[0]
        async with live.http(login.token(**ANA)) as desk:
            assert 200 == (await desk.get("/desk/tickets")).status_code


async def _session(live: Live, token: str) -> tuple[int, str | None]:
    async with live.http() as http:
        answer = await http.post("/sessions", json={"identity_token": token})
    return answer.status_code, answer.json().get("code")
