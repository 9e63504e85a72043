"""Database addresses as people write them, and as the asyncio drivers want them."""

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from tools.errors import ConfigurationError

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}


def parse(url: str) -> URL:
    """`sqlite:///`, `postgres://` and `postgresql://` get their asyncio driver; anything else is refused."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            "The ledger's database address cannot be read. DATABASE_URL looks like "
            "postgresql://user:password@host:5432/name or sqlite:////absolute/path.db."
        ) from None
    driver = _DRIVERS.get(parsed.drivername)
    if driver is None:
        raise ConfigurationError(
            f"The ledger is kept in PostgreSQL or SQLite, not in {parsed.drivername}. Check DATABASE_URL."
        )
    parsed = parsed.set(drivername=driver)
    return _sqlite(parsed) if driver.startswith("sqlite") else _postgres(parsed)


def _sqlite(url: URL) -> URL:
    if not url.database or ":memory:" in url.database or "mode" in url.query:
        raise ConfigurationError("A ledger in memory keeps nothing. Name a file: sqlite:////absolute/path.db.")
    return url


def _postgres(url: URL) -> URL:
    # libpq's name for it, which hosting providers put into the addresses they hand out.
    sslmode = url.query.get("sslmode")
    if sslmode is None:
        return url
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": sslmode})
