"""`counterfoil keys` and what `counterfoil doctor` says of logins and keys."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cli import logins
from cli.app import app
from cli.keys import show
from graphs.settings import Settings
from tests.fixtures.keys import KEYS
from tests.server.login import ISSUER, logging_in
from tools.errors import InvalidRequest, NotFound, Unavailable
from tools.ledger.ledger import Ledger
from tools.ledger.service_keys import KeyText


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COUNTERFOIL_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    return tmp_path


def keys(*arguments: str) -> str:
    ended = CliRunner().invoke(app, ["keys", *arguments], catch_exceptions=False)
    assert 0 == ended.exit_code, ended.output
    return ended.output


def listed() -> str:
    written = StringIO()
    asyncio.run(show(Console(file=written, width=160)))
    return written.getvalue()


def made(*scopes: str) -> KeyText:
    """The one line that is a key."""
    said = keys("create", "prometheus", *(part for scope in scopes for part in ("--scope", scope)))
    [text] = filter(None, map(KeyText.read, said.splitlines()))
    return text


async def aged(home: Path, days: int, *, name: str = "old [bold]") -> None:
    def then() -> datetime:
        return datetime.now(UTC) - timedelta(days=days)

    async with Ledger.open(f"sqlite:///{home / 'ledger.db'}", keys=KEYS, clock=then) as ledger:
        await ledger.create_service_key(name, ["metrics"], actor="cli:sam")


def test_a_key_is_shown_once_and_never_again() -> None:
    text = made("metrics", "desk:read")
    said = listed()
    assert re.search(rf"{text.id} +prometheus +desk:read, metrics .* never +good until", said)
    assert text.secret not in said


def test_a_revoked_key_is_listed_as_that() -> None:
    text = made("metrics")
    assert f"Key {text.id} of prometheus is refused from now on" in keys("revoke", text.id)
    assert "revoked" in keys("list")


def test_wrong_words_end_in_a_sentence() -> None:
    with pytest.raises(InvalidRequest, match="metrics, desk:read"):
        keys("create", "prometheus", "--scope", "root")
    with pytest.raises(NotFound, match="keys list"):
        keys("revoke", "nope")
    assert 2 == CliRunner().invoke(app, ["keys", "create", "prometheus"]).exit_code
    assert "keys create NAME" in keys("list")


async def test_a_key_that_ends_soon_is_listed_and_named_by_the_doctor(home: Path) -> None:
    assert ("off", True) == ((said := await logins.machines(Settings.read()))[0], "keys create" in said[1])
    await aged(home, 79)
    assert ("ok", "1 in use") == await logins.machines(Settings.read())
    await aged(home, 85, name="soon")
    await aged(home, 91, name="gone")
    mark, told = await logins.machines(Settings.read())
    assert "due" == mark
    assert re.search(r"gone \(\w+\) expired .*; soon \(\w+\) expires in 5 days, ", told)


def test_a_list_shows_names_as_they_are(home: Path) -> None:
    asyncio.run(aged(home, 85))
    asyncio.run(aged(home, 90, name="gone"))
    said = listed()
    assert re.search(r"old \[bold\] .* expires 20", said)
    assert re.search(r"gone .* expired 20", said)


async def test_the_doctor_reads_the_keys_of_the_logins() -> None:
    bare = Settings(_env_file=None)
    assert ["off", "embedded"] == [(await look(bare))[0] for look in (logins.customers, logins.staff)]
    with logging_in() as login:
        connected = Settings(
            _env_file=None,
            identity_jwks_url=login.url,
            identity_issuer=ISSUER,
            identity_secret="s" * 32,
            staff_jwks_url=login.url,
            staff_issuer=ISSUER,
        )
        said = f"1 keys at {login.url} and IDENTITY_SECRET, aud counterfoil"
        assert ("ok", said) == await logins.customers(connected)
        assert ("ok", True) == ((told := await logins.staff(connected))[0], told[1].endswith("roles at roles"))
        login.status = 404
        with pytest.raises(Unavailable, match="gives no keys"):
            await logins.staff(connected)
