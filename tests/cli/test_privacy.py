"""`counterfoil privacy`: one file with all that is kept, and the end of it, with a sentence for what is in the way."""

import json
import stat
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cli.app import app
from cli.privacy import erase, export
from tests.fixtures.keys import KEYS
from tests.fixtures.redis import free_port
from tests.tools.ledger.builders import bring_to
from tests.tools.ledger.test_privacy import PHRASE, THREAD, conversation
from tools.errors import InvalidRequest, Unavailable
from tools.ledger.ledger import Ledger


@pytest.fixture
async def ledger(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ledger]:
    """The very one that the commands read."""
    monkeypatch.setenv("COUNTERFOIL_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("STRIPE_SANDBOX_PORT", str(free_port()))
    async with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", keys=KEYS) as opened:
        yield opened


async def exported(file: Path, who: str = "cus_1") -> tuple[int, str]:
    said = StringIO()
    return await export(Console(file=said, width=200), who, file), said.getvalue()


async def erased(who: str = "cus_1", *, yes: bool = True, dry_run: bool = False) -> tuple[int, str]:
    said = StringIO()
    return await erase(Console(file=said, width=200), who, yes=yes, dry_run=dry_run), said.getvalue()


async def test_the_file_is_its_owners_alone_and_is_never_written_over(ledger: Ledger, tmp_path: Path) -> None:
    await conversation(ledger)
    file = tmp_path / "jo.json"
    assert 0 == (await exported(file))[0]
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert [PHRASE] == [message["text"] for message in json.loads(file.read_text())["messages"]]
    with pytest.raises(InvalidRequest, match="is there already"):
        await exported(file)
    with pytest.raises(InvalidRequest, match="cannot be written"):
        await exported(tmp_path / "nowhere" / "jo.json")


async def test_a_conversation_that_others_had_a_part_in_is_pointed_out(ledger: Ledger, tmp_path: Path) -> None:
    await conversation(ledger)
    assert "others proved" not in (await exported(tmp_path / "first.json"))[1]
    await ledger.bind_identity(THREAD, level=2, email="kim@example.com", customer="cus_2", ttl_seconds=60)
    said = (await exported(tmp_path / "second.json"))[1]
    assert "others proved who they are, too (cus_2): look through it before" in said


async def test_who_is_not_known_is_said_to_be_unknown(ledger: Ledger, tmp_path: Path) -> None:
    assert (1, "Nothing is kept about cus_9.\n") == await exported(tmp_path / "jo.json", "cus_9")
    assert not (tmp_path / "jo.json").exists()
    assert (1, "No conversation of cus_9 is kept.\n") == await erased("cus_9")
    for command in (exported(tmp_path / "jo.json", "jo"), erased("jo")):
        with pytest.raises(InvalidRequest, match="neither an e-mail address nor"):
            await command


async def test_without_stripe_an_address_is_not_enough(ledger: Ledger) -> None:
    """Else a customer who never proved it here would be left out, and nobody would know."""
    await conversation(ledger)
    with pytest.raises(Unavailable, match="name the customer by id"):
        await erased("jo.secret@example.com")
    assert await ledger.messages(THREAD)


async def test_it_asks_first_and_a_dry_run_only_counts(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    await conversation(ledger)
    asked: list[str] = []

    def refuse(question: str, **_: object) -> bool:
        asked.append(question)
        return False

    monkeypatch.setattr("typer.confirm", refuse)
    assert (1, True) == ((await erased(yes=False))[0], "for good?" in asked[0])
    assert "Nothing was erased: this was a dry run." in (await erased(dry_run=True))[1]
    assert await ledger.messages(THREAD)
    code, said = await erased()
    assert (0, True) == (code, "Conversations erased: 1." in said)
    assert [] == await ledger.messages(THREAD)


async def test_what_is_under_way_puts_all_of_it_off(ledger: Ledger) -> None:
    await conversation(ledger)
    await conversation(ledger, "thread-2")
    action = await bring_to(ledger, "unknown")
    code, said = await erased()
    assert (1, True) == (code, f"refund of $49.00, unknown: action {action.id}" in said)
    assert await ledger.messages("thread-2")


async def test_again_it_says_that_nothing_was_left(ledger: Ledger) -> None:
    await conversation(ledger)
    await bring_to(ledger, "void")
    await erased()
    code, said = await erased()
    assert (0, True) == (code, "Conversations erased: 0." in said)


def test_a_wrong_name_ends_in_one_sentence_and_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COUNTERFOIL_HOME", str(tmp_path))
    ended = CliRunner().invoke(app, ["privacy", "erase", "jo"])
    assert isinstance(ended.exception, InvalidRequest)
