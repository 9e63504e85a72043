"""`counterfoil audit`: proves the log, also against a head that was kept elsewhere, and reads it out."""

import json
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from cli.audit import show_audit, verify_audit
from tests.fixtures.keys import KEYS
from tests.tools.ledger.builders import behind_its_back, drop_guards
from tools.calls import ModelCall, StripeCall, note
from tools.errors import InvalidRequest
from tools.ledger.ledger import Ledger

REPLY = ModelCall(model="gpt-5-mini", prompt="resolve@3", outcome="answered", input_tokens=4000, output_tokens=500)
LOOK = StripeCall(method="GET", path="/v1/charges/ch_1", status=200, request="req_1", key=None)
SENT = StripeCall(method="POST", path="/v1/refunds", status=None, request=None, key="k")


@pytest.fixture
async def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ledger]:
    """The very one that the commands read."""
    monkeypatch.setenv("COUNTERFOIL_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    async with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", keys=KEYS) as opened:
        yield opened


async def verified(head: str | None = None) -> tuple[int, str]:
    said = StringIO()
    code = await verify_audit(Console(file=said, width=200), head)
    return code, said.getvalue()


async def shown(*ids: str, as_json: bool = False, limit: int = 200) -> tuple[int, str]:
    said = StringIO()
    code = await show_audit(Console(file=said, width=160), ids, as_json=as_json, limit=limit)
    return code, said.getvalue()


def head_in(said: str) -> str:
    return said.split("head ")[1].split(maxsplit=1)[0]


async def test_a_head_that_was_kept_still_fits_after_more_was_done(ledger: Ledger) -> None:
    await ledger.audit("thing.happened", number=1)
    code, said = await verified()
    kept = head_in(said)
    assert (0, True) == (code, "1 rows, chain unbroken." in said)

    await ledger.audit("thing.happened", number=2)

    code, said = await verified(kept)
    assert (0, True) == (code, "still holds the head that you kept" in said)
    assert kept != head_in(said)


async def test_a_chain_that_was_rebuilt_as_a_whole_is_found_by_a_head_that_was_kept(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who owns the database can write another history that holds together. They cannot write the head that I keep."""
    await ledger.audit("refund.executed", amount=4900)
    kept = head_in((await verified())[1])
    async with Ledger.open(f"sqlite:///{tmp_path / 'other.db'}", keys=KEYS) as other:
        await other.audit("refund.executed", amount=1)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'other.db'}")

    assert 0 == (await verified())[0]
    code, said = await verified(kept)
    assert (1, True) == (code, "rewritten" in said)


async def test_a_chain_that_was_cut_off_does_not_hold_a_later_head(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        await ledger.audit("thing.happened", number=number)
    kept = head_in((await verified())[1])
    async with Ledger.open(f"sqlite:///{tmp_path / 'other.db'}", keys=KEYS) as other:
        await other.audit("thing.happened", number=0)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'other.db'}")

    assert 1 == (await verified(kept))[0]


async def test_a_changed_row_is_named(ledger: Ledger) -> None:
    for number in range(3):
        await ledger.audit("thing.happened", number=number)
    await drop_guards(ledger, "audit")
    await behind_its_back(ledger, "UPDATE audit SET event = 'nothing.happened' WHERE sequence = 2")

    code, said = await verified()

    assert (1, True) == (code, "entry 2" in said)


@pytest.mark.parametrize("head", ["", "12", "0:" + "a" * 64, "1:abc", "1:" + "A" * 64])
async def test_what_is_no_head_is_refused_with_the_way_to_one(ledger: Ledger, head: str) -> None:
    if not head:
        assert 0 == (await verified(head))[0], "none given"
        return
    with pytest.raises(InvalidRequest, match="prints one"):
        await verified(head)


async def test_everything_about_a_case_is_read_out_in_order_with_what_it_cost(ledger: Ledger) -> None:
    await ledger.audit("action.proposed", action="case-1", thread="t-1")
    await ledger.audit("action.proposed", action="case-2", thread="t-2")
    async with ledger.recording(case="case-1"):
        note(LOOK)
        note(SENT)
    async with ledger.recording(thread="t-1", run="r-1"):
        note(REPLY)

    code, said = await shown("case-1", "t-1")

    assert 0 == code
    assert "case-2" not in said
    assert said.index("action.proposed") < said.index("stripe.called") < said.index("model.called")
    assert "GET /v1/charges/ch_1 200 req_1" in said
    assert "POST /v1/refunds no answer" in said
    assert "prompt=resolve@3" in said
    assert "entries: 3, requests to Stripe: 2, model calls: 1, 4,500 tokens, $0.0020 by list price." in said


async def test_an_id_is_matched_whole(ledger: Ledger) -> None:
    await ledger.audit("action.proposed", action="case-12")

    assert (1, "The audit log says nothing of case-1.\n") == await shown("case-1")
    assert (1, "The audit log says nothing of case%.\n") == await shown("case%")


async def test_for_programs_each_entry_is_a_line_of_json(ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(3):
        await ledger.audit("thing.happened", number=number, who="zoë")

    assert 0 == (await shown(as_json=True, limit=2))[0]

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [2, 3] == [line["sequence"] for line in lines]
    assert [{"number": 1, "who": "zoë"}, {"number": 2, "who": "zoë"}] == [line["data"] for line in lines]
    assert lines[0]["hash"] == lines[1]["previous"]


async def test_an_empty_log_says_so(ledger: Ledger) -> None:
    assert (1, "The audit log is empty.\n") == await shown()
