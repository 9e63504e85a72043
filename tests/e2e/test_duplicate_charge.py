"""Conversation 1: from "hi" to a refund in Stripe, a receipt and a rating."""

import re
from pathlib import Path

import pytest

from tests.e2e.world import ROOT, Customer, World

LINES = ("hi", "i was charged twice this month", "ada@example.com", "CODE", "yes please", "thanks")


@pytest.fixture
def transcript(fresh_world: World) -> list[tuple[str, str]]:
    """The conversation as it went, one (customer, assistant) pair for each message."""
    customer = Customer(fresh_world)
    said = []
    for line in LINES:
        text = fresh_world.code("ada@example.com") if line == "CODE" else line
        reply = customer.says(text)
        assert reply.streamed == reply.text
        said.append((line, reply.text))
    return said


def test_a_duplicate_charge_is_refunded_once_with_a_receipt(
    fresh_world: World, transcript: list[tuple[str, str]]
) -> None:
    hi, charged_twice, address, code, yes, thanks = (reply for _, reply in transcript)

    assert "automated" in hi
    assert "e-mail" in charged_twice
    assert "If that address belongs to an account" in address
    assert code.count("$49.00") >= 2
    assert code.count("4242") >= 2
    assert 'section "Duplicate charges"' in code
    assert re.search(r"CF-\d{4}-\d{6}", yes)
    assert "business days" in yes
    assert "1 (poor) to 5" in thanks

    client = fresh_world.sandbox.stripe()
    ada = client.v1.customers.list({"email": "ada@example.com"}).data[0]
    charges = client.v1.charges.list({"customer": ada.id, "limit": 100}).data
    refunds = [r for charge in charges for r in client.v1.refunds.list({"charge": charge.id}).data]
    twins = sorted((c for c in charges if c.amount == 4900), key=lambda c: c.created)
    later = max((c for c in twins if c.id == refunds[0].charge), key=lambda c: c.created)

    assert [(later.id, 4900, "duplicate", "succeeded")] == [(r.charge, r.amount, r.reason, r.status) for r in refunds]
    assert later.created == twins[-1].created
    assert re.fullmatch(r"[0-9a-f-]{36}", refunds[0].to_dict()["metadata"]["action_id"])


def test_the_transcript_in_the_readme_is_what_was_said(transcript: list[tuple[str, str]]) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    printed = readme.split("<!-- transcript -->")[1].split("<!-- end transcript -->")[0]

    assert normal(render(transcript)) == normal(printed)


def render(transcript: list[tuple[str, str]]) -> str:
    turns = [
        f"**Customer:** {'(the code)' if said == 'CODE' else said}\n\n**Counterfoil:** {reply}"
        for said, reply in transcript
    ]
    return "\n\n".join(turns)


def normal(text: str) -> str:
    """The same conversation on another day: dates and receipt numbers are left out, as are quote marks and breaks."""
    plain = re.sub(r"^> ?", "", text.strip(), flags=re.MULTILINE)
    undated = re.sub(r"\b[A-Z][a-z]+ \d{1,2}, \d{4}\b(, \d\d:\d\d UTC)?", "DATE", plain)
    return " ".join(re.sub(r"CF-\d{4}-\d{6}", "RECEIPT", undated).split())


def test_a_reply_to_an_address_does_not_tell_whether_it_has_an_account(world: World) -> None:
    known, unknown = Customer(world), Customer(world)
    known.says("i was charged twice this month")
    unknown.says("i was charged twice this month")

    assert known.says("ada@example.com").text == unknown.says("nobody@example.com").text


def test_a_no_leaves_stripe_untouched(fresh_world: World) -> None:
    customer = Customer(fresh_world)
    customer.says("i was charged twice this month")
    customer.signs_in("ada@example.com")

    reply = customer.says("no, don't do it")

    client = fresh_world.sandbox.stripe()
    assert "haven't changed anything" in reply.text
    assert [r for r in client.v1.refunds.list({"limit": 100}).data if r.metadata and "action_id" in r.metadata] == []


def made_by_us(world: World) -> list[int]:
    found = world.sandbox.stripe().v1.refunds.list({"limit": 100}).data
    return [refund.amount for refund in found if refund.metadata and "action_id" in refund.metadata]


@pytest.fixture
def asked(fresh_world: World) -> Customer:
    """Ada, with the refund proposed to her."""
    customer = Customer(fresh_world)
    customer.says("i was charged twice this month")
    customer.signs_in("ada@example.com")
    return customer


def test_a_question_in_between_is_answered_and_the_proposal_asked_again(fresh_world: World, asked: Customer) -> None:
    between = asked.says("what is your refund policy for annual plans?")
    assert between.text.endswith("shall I refund $49.00? Please answer yes or no.")
    assert made_by_us(fresh_world) == []

    assert "CF-" in asked.says("yes please").text
    assert made_by_us(fresh_world) == [4900]


def test_a_yes_after_going_on_to_something_else_does_not_refund(fresh_world: World, asked: Customer) -> None:
    asked.says("show me my last invoices")

    asked.says("yes please")

    assert made_by_us(fresh_world) == []


def test_only_a_plain_yes_is_consent(fresh_world: World, asked: Customer) -> None:
    """Each of these was once read as a yes, and moved money."""
    for words in ("yes $10", "ok hold on"):
        reply = asked.says(words).text
        assert "CF-" not in reply
        if "handing you over" in reply:
            break

    assert made_by_us(fresh_world) == []


def test_the_one_time_code_is_kept_nowhere(fresh_world: World, tmp_path: Path) -> None:
    customer = Customer(fresh_world)
    customer.says("show me my last invoices")
    customer.says("ada@example.com")
    code = fresh_world.code("ada@example.com")

    customer.says(code)

    assert code not in str(customer.messages())
    holding = [
        path
        for path in fresh_world.home.rglob("*")
        if path.is_file() and "sandbox" not in path.parts and code.encode() in path.read_bytes()
    ]
    assert holding == []
