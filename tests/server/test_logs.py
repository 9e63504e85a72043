"""What is logged holds no secrets, and quiet libraries stay quiet."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from server import logs
from tools.safety.dropped import DROPPED

CARD = "4242 4242 4242 4242"


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    path = tmp_path / "logs" / "server.log"
    logs.configure(path)
    yield path
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = before
    root.setLevel(level)


def written(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_an_event_is_a_line_of_json_with_its_fields(file: Path) -> None:
    structlog.get_logger("refunds").info("refund.executed", action_id="a1", amount=4999)
    line = written(file)[0]
    assert (line["event"], line["action_id"], line["amount"]) == ("refund.executed", "a1", 4999)
    assert (line["level"], line["logger"]) == ("info", "refunds")


def test_secrets_are_masked_wherever_they_stand(file: Path) -> None:
    try:
        int(f"declined {CARD}")
    except ValueError:
        structlog.get_logger().exception("payment", note=[{"deep": f"card {CARD}"}], **{CARD: "key"})
    logging.getLogger("somebody.else").warning("paid with %s", CARD)
    text = file.read_text()
    assert CARD not in text
    assert "ValueError" in text
    assert len(written(file)) == 2


def test_what_cannot_be_masked_is_dropped(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> None:
        raise RuntimeError

    before = DROPPED["log"]
    monkeypatch.setattr(logs, "redact_deep", broken)
    structlog.get_logger().info("hello", text="secret")
    assert file.read_text() == ""
    assert before + 1 == DROPPED["log"]


def test_addresses_and_telephone_numbers_are_not_logged(file: Path) -> None:
    structlog.get_logger().info("mail.sent", to="ada@example.com", note="call +44 20 7946 0123", card=4242424242424242)
    line = written(file)[0]
    assert ("a•••@example.com", "call [phone •••23]", "[card ••••4242]") == (line["to"], line["note"], line["card"])


def test_our_own_names_stay_readable(file: Path) -> None:
    ids = {
        "thread": "0199f2c4-1111-7444-9222-123456789012", "charge": "ch_3Qabc4242424242424242",
        "digest": "4" * 60 + "beef", "number": "CF-2026-000123", "amount": 4999, "at": "2026-11-03T10:00:00.123456Z",
        "event_id": "1764144000000-0",
    }  # fmt: skip
    structlog.get_logger().info("refund.executed", **ids)
    assert ids == {key: value for key, value in written(file)[0].items() if key in ids}


def test_chatty_libraries_are_quiet(file: Path) -> None:
    for name in ("httpx", "stripe", "langgraph", "docket"):
        logging.getLogger(name).info("GET https://example.com?email=jo@example.com")
    assert file.read_text() == ""
