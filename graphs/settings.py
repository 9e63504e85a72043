"""Settings from the environment and `.env`. Unsafe or contradictory ones refuse to start."""

import re
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tools.errors import ConfigurationError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SANDBOX_KEY = "sk_test_sandbox"
LIVE_KEYS = ("sk_live_", "rk_live_")
LONGEST_RESENT = 31
"""Days: an event that is sent again by hand must still be known for one that came before."""
IDENTITY_AUDIENCE = "counterfoil"
STAFF_AUDIENCE = "counterfoil:staff"
ORIGIN = re.compile(r"https://[a-z0-9.-]+(?::\d{1,5})?|http://(?:localhost|127\.0\.0\.1)(?::\d{1,5})?")
WEBHOOK_SECRET = re.compile(r"whsec_\S{16,}")


class Settings(BaseSettings):
    """Everything that can be set from outside. None of it is needed for the demo."""

    model_config = SettingsConfigDict(
        env_file=".env", extra="ignore", env_ignore_empty=True, populate_by_name=True, env_prefix="COUNTERFOIL_"
    )

    home: Path = Field(default=Path(".counterfoil"), alias="COUNTERFOIL_HOME", description="Where state lives.")
    host: str = Field(default="127.0.0.1", alias="HOST", description="Address to listen on.")
    port: int = Field(default=8000, ge=1, le=65535, alias="PORT", description="Port of the HTTP server.")
    company: str = Field(default="Acme", alias="COMPANY", description="The name customers know you by.")

    redis_url: str | None = Field(default=None, alias="REDIS_URL", description="Unset: an embedded server.")
    database_url: str | None = Field(
        default=None,
        alias="DATABASE_URL",
        description="PostgreSQL or SQLite. Unset: SQLite under the home folder.",
    )
    chroma_url: str | None = Field(default=None, alias="CHROMA_URL", description="Unset: embedded Chroma.")
    knowledge_folder: Path = Field(
        default=Path(__file__).parent.parent / "knowledge",
        alias="KNOWLEDGE_FOLDER",
        description="Folder of policy documents.",
    )
    policy_file: Path | None = Field(
        default=None, alias="POLICY_FILE", description="Rules of your own. Unset: `tools/policy/rules.yaml`."
    )

    stripe_secret_key: SecretStr | None = Field(
        default=None, alias="STRIPE_SECRET_KEY", description="Unset: the simulated Stripe, and demo mode."
    )
    stripe_webhook_secret: SecretStr | None = Field(
        default=None,
        alias="STRIPE_WEBHOOK_SECRET",
        description="Verifies what comes to /webhooks/stripe; two, with a comma, while one is rotated. "
        "Unset: refused; the demo makes its own.",
    )
    stripe_sandbox_port: int = Field(
        default=12111,
        ge=1,
        le=65535,
        alias="STRIPE_SANDBOX_PORT",
        description="Port of the simulated Stripe.",
    )
    smtp_sandbox_port: int = Field(
        default=12125,
        ge=1,
        le=65535,
        alias="SMTP_SANDBOX_PORT",
        description="Port of the simulated mail server.",
    )
    smtp_url: SecretStr | None = Field(
        default=None,
        alias="SMTP_URL",
        description="smtp://user:password@host:port, smtps:// for TLS. Needed with STRIPE_SECRET_KEY.",
    )
    mail_from: str = Field(default="billing@example.com", alias="MAIL_FROM", description="Sender of our mails.")

    openai_api_key: SecretStr | None = Field(
        default=None, alias="OPENAI_API_KEY", description="Unset, with no base URL: the local provider."
    )
    openai_base_url: str | None = Field(default=None, alias="OPENAI_BASE_URL", description="Any compatible server.")
    openai_model: str = Field(default="gpt-5-mini", alias="OPENAI_MODEL", description="Model that words replies.")
    openai_embedding_model: str | None = Field(
        default=None,
        alias="OPENAI_EMBEDDING_MODEL",
        description="Embeddings by this model of the same server. Unset: local ones, whatever words the replies.",
    )

    secret: SecretStr | None = Field(
        default=None,
        alias="COUNTERFOIL_SECRET",
        min_length=32,
        description="Signs session tokens. Unset: made at first start and kept in the home folder.",
    )
    staff_secret: SecretStr | None = Field(
        default=None, alias="STAFF_SECRET", min_length=32, description="Verifies staff tokens (HS256)."
    )
    identity_secret: SecretStr | None = Field(
        default=None,
        alias="IDENTITY_SECRET",
        min_length=32,
        description="Verifies identity tokens of the host site (HS256).",
    )
    encryption_keys: SecretStr | None = Field(
        default=None,
        alias="COUNTERFOIL_ENCRYPTION_KEYS",
        description="Seals what people said and who they are (AES-256-GCM): id:base64 of 32 bytes, the newest first, "
        "older ones after it with commas. Needed with STRIPE_SECRET_KEY; the demo makes its own.",
    )
    identity_jwks_url: str | None = Field(
        default=None,
        alias="IDENTITY_JWKS_URL",
        description="Verifies identity tokens by the keys published there (RS256, ES256).",
    )
    identity_issuer: str | None = Field(
        default=None, alias="IDENTITY_ISSUER", description="The `iss` of identity tokens. Needed with a JWKS URL."
    )
    identity_audience: str = Field(
        default=IDENTITY_AUDIENCE, alias="IDENTITY_AUDIENCE", description="The `aud` of identity tokens."
    )
    staff_jwks_url: str | None = Field(
        default=None,
        alias="STAFF_JWKS_URL",
        description="Verifies staff tokens by the keys published there (RS256, ES256), instead of STAFF_SECRET.",
    )
    staff_issuer: str | None = Field(
        default=None, alias="STAFF_ISSUER", description="The `iss` of staff tokens. Needed with a JWKS URL."
    )
    staff_audience: str = Field(
        default=STAFF_AUDIENCE, alias="STAFF_AUDIENCE", description="The `aud` of staff tokens."
    )
    staff_roles_claim: str = Field(
        default="roles",
        min_length=1,
        alias="STAFF_ROLES_CLAIM",
        description="Where staff tokens hold the role, such as `realm_access.roles`: text or a list.",
    )
    stream_seconds: int = Field(
        default=900, ge=10, alias="STREAM_SECONDS", description="Longest life of one stream; clients rejoin."
    )

    retention_days: int = Field(
        default=365,
        ge=0,
        alias="RETENTION_DAYS",
        description="Days after its last word that a conversation is erased. 0: kept for ever.",
    )
    stripe_event_days: int = Field(
        default=90,
        ge=0,
        alias="STRIPE_EVENT_DAYS",
        description="Days that ids of Stripe's events are kept after they are done with. 0: for ever; else 31 or more.",
    )
    checkpoints_kept: int = Field(
        default=100,
        ge=0,
        alias="CHECKPOINTS_KEPT",
        description="How many of a conversation's latest steps can be looked at and forked from. What was said and "
        "done is in the ledger whatever their number. 0: all.",
    )
    cors_origins: str = Field(
        default="",
        alias="CORS_ORIGINS",
        description="Web sites whose pages may call this server from a browser: https://shop.example.com, several with "
        "commas. None: only our own page.",
    )
    codes_per_network: int | None = Field(
        default=None,
        ge=1,
        alias="CODES_PER_NETWORK",
        description="One-time codes in an hour for one network. "
        "Unset: 20; 1,000 in demo mode, where everybody is on one machine.",
    )

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        return tuple(one.strip() for one in self.cors_origins.split(",") if one.strip())

    @property
    def most_codes_per_network(self) -> int:
        return self.codes_per_network or (1_000 if self.demo else 20)

    @property
    def demo(self) -> bool:
        """True while the simulated Stripe is in use."""
        return self.stripe_secret_key is None

    @property
    def stripe_url(self) -> str | None:
        return f"http://127.0.0.1:{self.stripe_sandbox_port}" if self.demo else None

    @property
    def stripe_key(self) -> str:
        return self.stripe_secret_key.get_secret_value() if self.stripe_secret_key else SANDBOX_KEY

    @property
    def stripe_live(self) -> bool:
        return self.stripe_key.startswith(LIVE_KEYS)

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """None: webhooks are refused."""
        given = self.stripe_webhook_secret.get_secret_value() if self.stripe_webhook_secret else ""
        return tuple(one.strip() for one in given.split(",")) if given else ()

    @property
    def ledger_url(self) -> str:
        return self.database_url or f"sqlite+aiosqlite:///{self.home.resolve() / 'ledger.db'}"

    @property
    def has_model(self) -> bool:
        return bool(self.openai_api_key or self.openai_base_url)

    @model_validator(mode="after")
    def refuse_unsafe(self) -> Self:
        if self.demo and self.host not in LOOPBACK:
            raise ValueError("demo mode listens on loopback only: set STRIPE_SECRET_KEY, or HOST=127.0.0.1")
        if not self.demo and self.smtp_url is None:
            raise ValueError("STRIPE_SECRET_KEY is set, so SMTP_URL is needed: one-time codes go out by mail")
        if not self.demo and self.encryption_keys is None:
            raise ValueError(
                "STRIPE_SECRET_KEY is set, so COUNTERFOIL_ENCRYPTION_KEYS is needed: `openssl rand -base64 32` makes a "
                "key, give it as 2026:KEY, and keep it as well as the database"
            )
        if wrong := [origin for origin in self.allowed_origins if not ORIGIN.fullmatch(origin)]:
            raise ValueError(f"CORS_ORIGINS lists exact origins such as https://shop.example.com, not {wrong[0]}")
        if self.redis_url and urlsplit(self.redis_url).scheme not in {"redis", "rediss", "unix"}:
            raise ValueError("REDIS_URL must start with redis://, rediss:// or unix://")
        if len(self.webhook_secrets) > 2 or not all(map(WEBHOOK_SECRET.fullmatch, self.webhook_secrets)):
            raise ValueError("STRIPE_WEBHOOK_SECRET is one signing secret, or two with a comma: whsec_...")
        if 0 < self.stripe_event_days < LONGEST_RESENT:
            raise ValueError(
                f"STRIPE_EVENT_DAYS is 0 or at least {LONGEST_RESENT}: Stripe sends events again for so long"
            )
        refuse_unsafe_logins(self)
        return self

    @classmethod
    def read(cls) -> Self:
        """Settings of this process. Raises `ConfigurationError`: one line that names the variable."""
        try:
            return cls()
        except ValidationError as error:
            raise ConfigurationError(_one_line(error)) from error


def refuse_unsafe_logins(settings: Settings) -> None:
    """Raises `ValueError` where somebody could come in as somebody else."""
    for name in ("identity", "staff"):
        url, issuer = getattr(settings, f"{name}_jwks_url"), getattr(settings, f"{name}_issuer")
        if url and not _is_private(url, demo=settings.demo):
            raise ValueError(f"{name.upper()}_JWKS_URL must start with https://")
        if url and not issuer:
            raise ValueError(f"{name.upper()}_JWKS_URL is set, so {name.upper()}_ISSUER is needed: the `iss` to trust")
    if settings.staff_jwks_url and settings.staff_secret:
        raise ValueError(
            "set STAFF_JWKS_URL or STAFF_SECRET, not both: somebody known by two ids could approve what they proposed"
        )
    if settings.identity_audience == settings.staff_audience:
        raise ValueError("IDENTITY_AUDIENCE and STAFF_AUDIENCE must differ: a customer's token is no staff token")
    kept = [one.get_secret_value() for one in (settings.secret, settings.staff_secret, settings.identity_secret) if one]
    if len(set(kept)) < len(kept):
        raise ValueError("COUNTERFOIL_SECRET, STAFF_SECRET and IDENTITY_SECRET must differ: each signs for others")


def _is_private(url: str, *, demo: bool) -> bool:
    """Nobody on the way can swap the keys; the demo may have its issuer on this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    here = demo and parts.scheme == "http" and parts.hostname in LOOPBACK
    return bool(parts.hostname) and (parts.scheme == "https" or here)


def _one_line(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    said = first["msg"].removeprefix("Value error, ")
    return f"{where}: {said}" if where else said
