"""Somebody outside whose signed word we take: the host site for customers, the company's login for staff."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from server.auth.published_keys import PublishedKeys
from tools.errors import Unauthorized

LEEWAY = timedelta(seconds=30)
"""Clocks of two companies differ."""
ID_LENGTH = 255
NAME_LENGTH = 200
PUBLISHED = frozenset({"RS256", "ES256"})


@dataclass(frozen=True, kw_only=True)
class Word:
    """The claims of a token that verified. `published`: by a key of the issuer's own, not by the secret we share."""

    claims: dict[str, Any]
    published: bool

    @property
    def subject(self) -> str:
        return str(self.claims["sub"])

    def line(self, *names: str, longest: int = NAME_LENGTH) -> str | None:
        """The first of these claims that is a line of text."""
        return next((text for name in names if (text := _line(self.claims.get(name), longest))), None)


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """Verifies by a shared secret (HS256), by published keys (RS256, ES256), or by whichever of both a token uses."""

    called: str
    """How the sentences of its errors call a token of it."""
    audience: str
    longest: timedelta
    """A token that lives longer is refused."""
    issuer: str | None = None
    secret: str | None = None
    keys: PublishedKeys | None = None
    required: tuple[str, ...] = ()

    async def word(self, token: str) -> Word:
        """Raises `Unauthorized`, with a sentence; `Unavailable` when the issuer's keys cannot be read."""
        key, algorithm = await self._key_for(_header(token))
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self.audience,
                issuer=self.issuer,
                leeway=LEEWAY,
                options={"require": ["aud", "exp", "sub", *(["iss"] if self.issuer else []), *self.required]},
            )
        except jwt.PyJWTError as error:
            raise Unauthorized(self._sentence(error)) from error
        if not _line(claims["sub"], ID_LENGTH):
            raise Unauthorized(f"The {self.called} names nobody: its `sub` is not a line of text.")
        self._refuse_long_life(claims)
        return Word(claims=claims, published=algorithm in PUBLISHED)

    async def _key_for(self, header: dict[str, Any]) -> tuple[Any, str]:
        """The algorithm comes from the key; what the token says of it only chooses among the keys that we have."""
        if header.get("alg") == "HS256" and self.secret:
            return self.secret, "HS256"
        if header.get("alg") in PUBLISHED and self.keys:
            if not isinstance(key_id := header.get("kid"), str):
                raise Unauthorized(f"The {self.called} does not say which key signed it: its header needs a `kid`.")
            found = await self.keys.find(key_id)
            return found.key, found.algorithm
        raise Unauthorized

    def _refuse_long_life(self, claims: dict[str, Any]) -> None:
        made = claims.get("iat", datetime.now(UTC).timestamp())
        if int(claims["exp"]) - int(made) > self.longest.total_seconds() + LEEWAY.total_seconds():
            minutes = int(self.longest.total_seconds() // 60)
            raise Unauthorized(
                f"The {self.called} lives too long: have it expire within {minutes} minutes of its `iat`."
            )

    def _sentence(self, error: jwt.PyJWTError) -> str:
        match error:
            case jwt.ExpiredSignatureError():
                return f"The {self.called} has expired. Sign in again."
            case jwt.ImmatureSignatureError():
                return f"The {self.called} is not valid yet. Check the clock of whoever issues it."
            case jwt.InvalidAudienceError():
                return f"The {self.called} is not meant for us: its `aud` has to be {self.audience!r}."
            case jwt.InvalidIssuerError():
                return f"The {self.called} is not from the issuer that is trusted here: check its `iss`."
            case jwt.MissingRequiredClaimError():
                return f"The {self.called} lacks `{error.claim}`."
            case _:
                return f"The {self.called} does not verify. Sign in again."


def _header(token: str) -> dict[str, Any]:
    try:
        return jwt.get_unverified_header(token)
    except (jwt.PyJWTError, RecursionError) as error:
        raise Unauthorized from error


def _line(value: Any, longest: int) -> str | None:
    """Text that can be kept and shown: no control characters, not too long."""
    if not isinstance(value, str) or not value.isprintable():
        return None
    text = value.strip()
    return text if 0 < len(text) <= longest else None
