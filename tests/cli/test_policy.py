"""The policy commands as a colleague types them, on a real ledger in a home of its own."""

import asyncio
import csv
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from cli.app import app
from tests.fixtures.keys import KEYS
from tests.tools.ledger.builders import Clock
from tests.tools.policy.make import NOW, asked
from tests.tools.policy.test_backtest import REQUESTS, lower_limit, record, refund, usd
from tools.errors import ConfigurationError
from tools.ledger.ledger import Ledger
from tools.money import Money
from tools.policy.rules import PACKAGED

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command of `counterfoil policy`: its exit code, and what it said on one wide line each."""
    monkeypatch.setenv("COUNTERFOIL_HOME", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr("cli.app.console._width", 220)

    def call(*arguments: object) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["policy", *map(str, arguments)])
        if isinstance(result.exception, Exception):
            raise result.exception
        return result.exit_code, result.output

    return call


@pytest.fixture
def lower(tmp_path: Path) -> Path:
    """The packaged rules with a lower limit for dollars and a higher one for yen."""
    rules = yaml.safe_load(PACKAGED.read_text(encoding="utf-8"))
    lower_limit(rules)
    path = tmp_path / "lower.yaml"
    path.write_text(yaml.safe_dump(rules), encoding="utf-8")
    return path


@pytest.fixture
def past(tmp_path: Path) -> None:
    """Four refunds and a cancellation, an hour apart."""
    amounts = [usd(4900), usd(6000), usd(7000), Money(15001, "jpy")]
    requests = [refund(amount) for amount in amounts] + [asked(kind="cancel_subscription")]
    asyncio.run(_record(tmp_path, [(f"case-{number}", request) for number, request in enumerate(requests)]))


async def _record(home: Path, requests: list[tuple[str, Any]]) -> None:
    clock = Clock(NOW)
    async with Ledger.open(f"sqlite:///{home / 'ledger.db'}", clock=clock, keys=KEYS) as ledger:
        for case, request in requests:
            await record(ledger, case, request)
            clock.forward(hours=1)


def words(output: str) -> str:
    """Without the lines of tables."""
    return " ".join(word for word in output.split() if word not in {"│", "┃"})


def test_the_table_of_cases_is_shown_by_kind(run: Run) -> None:
    code, output = run("test")

    assert code == 0
    assert "pause_subscription 8 8" in words(output)
    assert "cases as expected (policy 2026-11-20)." in output


def test_a_case_that_is_not_as_expected_shows_both(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "cases.yaml"
    path.write_text(
        "- {name: too hopeful, kind: refund, amount: 48000 usd, outcome: auto, rule: refund.window, people: 0}\n"
        "- {name: right, kind: refund, amount: 4900 usd, outcome: auto, rule: refund.window}\n"
    )
    code, output = run("test", path)

    assert code == 1
    assert "refund 2 1" in words(output)
    assert "auto by refund.window, people: 0" in output
    assert "needs_approval by refund.automatic-limit, people: 1" in output
    assert "$480.00 is above the automatic limit of $100.00." in output
    assert "1 of 2 cases as expected" in output


def test_the_table_can_be_run_against_other_rules(run: Run, lower: Path) -> None:
    code, output = run("test", "--rules", lower)

    assert code == 1
    assert "the limit itself is automatic" in output


def test_a_rule_that_decides_no_case_is_named(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "renamed.yaml"
    path.write_text(PACKAGED.read_text(encoding="utf-8").replace("id: extend.once", "id: extend.twice"))

    assert "No case is decided by extend.twice: add a row." in run("test", "--rules", path)[1]
    assert "No case is decided by" not in run("test")[1]


def test_nothing_recorded_is_said(run: Run) -> None:
    code, output = run("backtest", "packaged", "packaged")

    assert code == 0
    assert "No requests were recorded in that time" in output


@pytest.mark.usefixtures("past")
def test_the_same_rules_change_nothing(run: Run) -> None:
    code, output = run("backtest", "packaged", "packaged")

    assert code == 0
    assert "5 requests, nothing would change. Policy 2026-11-20 against 2026-11-20." in output


@pytest.mark.usefixtures("past")
def test_what_would_change_is_shown_in_outcomes_and_in_money(run: Run, lower: Path) -> None:
    code, output = run("backtest", "packaged", lower)

    assert code == 1
    assert "refund automatic → one person 2 $130.00" in words(output)
    assert "refund one person → automatic 1 ¥15,001" in words(output)
    assert (
        "5 requests, 3 would change: 1 more automatic (¥15,001), 2 more to a person ($130.00), 0 more denied" in output
    )


@pytest.mark.usefixtures("past")
def test_single_cases_are_shown_with_the_rules_that_decide(
    run: Run, lower: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.backtest.SHOWN", 1)
    _, newest = run("backtest", "packaged", lower)
    _, every = run("backtest", "packaged", lower, "--all")

    assert "The newest 1 of 3 (--all shows every one)" in newest
    assert (False, True) == ("case-1" in newest, "case-3" in newest)
    assert "All 3 of them" in every
    assert {"case-1", "case-2", "case-3"} == {name for name in (f"case-{n}" for n in range(5)) if name in every}
    assert "refund $60.00 automatic → one person refund.window → refund.automatic-limit case-1" in words(every)


@pytest.mark.usefixtures("past")
def test_every_change_is_written_to_a_table(run: Run, lower: Path, tmp_path: Path) -> None:
    table = tmp_path / "changes.csv"
    run("backtest", "packaged", lower, "--csv", table)

    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert ["case-1", "case-2", "case-3"] == [row["case"] for row in rows]
    assert ("6000", "usd", "auto", "needs_approval", "1") == (
        *(rows[0]["amount"], rows[0]["currency"]),
        *(rows[0]["outcome_before"], rows[0]["outcome_after"], rows[0]["people_after"]),
    )


@pytest.mark.usefixtures("past")
def test_only_the_days_that_are_asked_for_are_replayed(run: Run) -> None:
    day, next_day = (f"{NOW + timedelta(days=days):%Y-%m-%d}" for days in (0, 1))

    assert "5 requests" in run("backtest", "packaged", "packaged", "--since", day, "--until", next_day)[1]
    assert "No requests" in run("backtest", "packaged", "packaged", "--until", day)[1]
    assert "No requests" in run("backtest", "packaged", "packaged", "--since", next_day, "--until", "2099-01-01")[1]


def test_days_in_the_wrong_order_are_refused(run: Run) -> None:
    with pytest.raises(ConfigurationError, match="--since has to be before --until"):
        run("backtest", "packaged", "packaged", "--since", "2026-11-02", "--until", "2026-11-01")


def test_a_rules_file_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.yaml cannot be read"):
        run("backtest", "packaged", tmp_path / "absent.yaml")


def test_a_table_that_cannot_be_written_is_named(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"The table .*nowhere/x\.csv cannot be written"):
        run("backtest", "packaged", "packaged", "--csv", tmp_path / "nowhere" / "x.csv")


@pytest.mark.usefixtures("past")
def test_a_request_that_cannot_be_read_is_told_and_the_others_are_replayed(run: Run, tmp_path: Path) -> None:
    async def plant() -> None:
        request = REQUESTS.dump_python(refund(usd(4900)), mode="json") | {"kind": "gift"}
        verdict = {"outcome": "auto", "rule": "gift.always", "policy_version": "2025-01-01"}
        async with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", clock=Clock(NOW), keys=KEYS) as ledger:
            await ledger.record_assessment("case-x", "thread-1", "proposal", request=request, verdict=verdict)

    asyncio.run(plant())
    code, output = run("backtest", "packaged", "packaged")

    assert code == 2
    assert "The request of case case-x cannot be read: kind: " in output
    assert "5 requests, nothing would change" in output
