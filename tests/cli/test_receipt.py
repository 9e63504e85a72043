"""`counterfoil receipt verify`: prints a counterfoil, and every way in which one can be false is found and named."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cli.app import app
from cli.receipt import verify_receipt
from nodes.case.issue_receipt import receipt_body
from server.present import receipt_json
from tests.tools.ledger.builders import behind_its_back, bring_to, drop_guards
from tools.errors import InvalidRequest
from tools.ledger.digest import sha256_of
from tools.ledger.ledger import Ledger
from tools.ledger.types import Json, Receipt

VERDICT = {
    "outcome": "needs_approval", "rule": "refund.duplicate", "policy_version": "2026-11-01", "because": "above 100.00",
    "document": "refunds", "anchor": "limits-and-approval",
}  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COUNTERFOIL_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    return tmp_path


@pytest.fixture
async def receipt(ledger: Ledger) -> Receipt:
    """Of a refund that Sam approved, in the very ledger that the command reads."""
    await ledger.record_assessment("action-1", "thread-1", "proposal", request={}, verdict=VERDICT)
    waiting = await bring_to(ledger, "approved", outcome="needs_approval", approvals_needed=1)
    await ledger.begin_action(waiting.id, "key")
    done = await ledger.conclude_action(waiting.id, "done", stripe_id="re_1", actor="stripe", reason="")
    return await ledger.issue_receipt(done.id, await receipt_body(done, ledger))


async def verified(number: str | None = None, file: Path | None = None) -> tuple[int, str]:
    written = StringIO()
    code = await verify_receipt(Console(file=written, width=200), number, file)
    return code, written.getvalue()


def saved(home: Path, receipt: Receipt, **changes: Any) -> Path:
    """As the chat page saves it."""
    file = home / "receipt.json"
    file.write_text(json.dumps(receipt_json(receipt) | changes))
    return file


async def test_a_genuine_one_is_printed_as_people_read_it(receipt: Receipt) -> None:
    code, said = await verified(receipt.number)
    assert 0 == code
    for words in (
        "refund of $49.00 on ch_1",
        "confirmed by",
        "sam (supervisor), 20",
        ": fine",
        "2026-11-01, rule refund.duplicate",
        "needs_approval by refund.duplicate (refunds#limits-and-approval): above 100.00",
        "re_1",
        '{"amount_refunded": 0, "charge": "ch_1"}',
        receipt.digest,
        "entry ",
        "genuine: digest, issued, audit log, action, approvals, effect hold",
    ):
        assert words in said
    assert "not genuine" not in said


async def test_one_that_somebody_holds_is_checked_against_the_ledger(home: Path, receipt: Receipt) -> None:
    assert 0 == (await verified(file=saved(home, receipt)))[0]
    assert 0 == (await verified(receipt.number, saved(home, receipt)))[0]
    with pytest.raises(InvalidRequest, match="not CF-2026-000009"):
        await verified("CF-2026-000009", saved(home, receipt))


def forged(receipt: Receipt, **changes: Any) -> Json:
    """Another text, under a digest that fits it."""
    body = receipt.body | changes
    return {"body": body, "digest": sha256_of(body)}


async def test_what_somebody_changed_in_their_file_is_found(home: Path, receipt: Receipt) -> None:
    code, said = await verified(file=saved(home, receipt, body=receipt.body | {"amount": 490000}))
    assert (1, True) == (code, "digest: Its text is not" in said)
    for changes, name in (
        (forged(receipt, amount=490000), "action"),
        (forged(receipt, approved_by=[]), "approvals"),
        (forged(receipt, stripe_id="re_2"), "effect"),
        ({"number": "CF-2026-000777"}, "issued"),
        ({"action_id": "action-2"}, "issued"),
    ):
        code, said = await verified(file=saved(home, receipt, **changes))
        assert (1, True, True) == (code, f"{name}: " in said, "issued: The ledger issued no such" in said), name
        assert "not genuine" in said


async def test_a_file_that_is_no_receipt_says_so(home: Path, receipt: Receipt) -> None:
    for text in ("", "[]", "{}", "not json", json.dumps({"number": receipt.number})):
        (home / "receipt.json").write_text(text)
        with pytest.raises(InvalidRequest, match="holds no receipt"):
            await verified(file=home / "receipt.json")
    with pytest.raises(InvalidRequest, match="holds no receipt"):
        await verified(file=home / "nowhere.json")


@pytest.mark.parametrize(
    ("table", "statement", "failing"),
    [
        (
            "receipts",
            """UPDATE receipts SET body = '{"amount": 490000}'""",
            {"digest", "audit log", "action", "approvals", "effect"},
        ),
        ("receipts", "UPDATE receipts SET audited = 1", {"audit log"}),
        ("approvals", "UPDATE approvals SET reason = 'another'", {"approvals"}),
        ("approvals", "DELETE FROM approvals", {"approvals"}),
        ("actions", "UPDATE actions SET amount = 490000", {"action"}),
        ("actions", "UPDATE actions SET digest = 'x'", {"action"}),
        ("effects", "UPDATE effects SET stripe_id = 're_2'", {"effect"}),
    ],
)
async def test_what_somebody_changed_in_the_database_is_found(
    ledger: Ledger, receipt: Receipt, table: str, statement: str, failing: set[str]
) -> None:
    await drop_guards(ledger, table)
    await behind_its_back(ledger, statement)
    code, said = await verified(receipt.number)
    assert 1 == code
    names = {"digest", "issued", "audit log", "action", "approvals", "effect"}
    assert failing == {name for name in names if f"\n{name}: " in said}


async def test_a_receipt_that_was_swapped_for_another_with_its_digest_is_found(
    ledger: Ledger, receipt: Receipt
) -> None:
    """Text and digest are changed together: the audit log still has the old one."""
    changed = replace(receipt, body=receipt.body | {"reason": "another"})
    await drop_guards(ledger, "receipts")
    body, digest = json.dumps(changed.body, sort_keys=True, separators=(",", ":")), sha256_of(changed.body)
    await behind_its_back(ledger, "UPDATE receipts SET body = :body, digest = :digest", body=body, digest=digest)
    code, said = await verified(receipt.number)
    assert (1, True, False) == (code, "audit log: " in said, "\ndigest: " in said)


def test_one_that_is_not_there_ends_with_1() -> None:
    ended = CliRunner().invoke(app, ["receipt", "verify", "CF-2026-000001"])
    assert (1, "There is no receipt CF-2026-000001.\n") == (ended.exit_code, ended.output)


class TestTheKillSwitch:
    def turn(self, *arguments: str) -> tuple[int, str]:
        ended = CliRunner().invoke(app, ["policy", *arguments])
        return ended.exit_code, " ".join(ended.output.split())

    def test_it_is_turned_with_a_reason_that_is_kept(self) -> None:
        code, said = self.turn("stop", "--reason", "refunds look wrong [bold]")
        assert (0, True, True) == (
            code,
            "off: a person approves everything" in said,
            "refunds look wrong [bold]" in said,
        )
        assert "refunds look wrong" in self.turn("stop", "--reason", "again")[1], "the first word stays"
        assert "Automatic actions are on." in self.turn("resume", "--reason", "it was a test")[1]

    def test_it_is_not_turned_without_one(self) -> None:
        assert 0 != self.turn("stop")[0]
        assert 0 != self.turn("stop", "--reason", " ")[0]
