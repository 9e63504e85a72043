"""Buttons, colleagues and the kill switch, on a whole Counterfoil in a process of its own."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.world import ROOT, Customer, Staff, World


def test_a_button_an_approval_and_a_receipt_that_verifies(fresh_world: World, tmp_path: Path) -> None:
    grace, ana = Customer(fresh_world), Staff(fresh_world, "Ana")
    card = proposed(grace, "I'd like a refund for the annual plan I bought last week", "grace@example.com")
    assert "asked a colleague to approve" in press(grace, card)
    assert "awaiting_approval" == state_of(grace, card)

    decision = {"digest": card["digest"], "approve": True, "reason": "first year, in the window"}
    decided = ana.post(f"/desk/actions/{card['id']}/decision", **decision).raise_for_status().json()
    again = ana.post(f"/desk/actions/{card['id']}/decision", **decision)

    assert ("succeeded", 200) == (decided["state"], again.status_code)
    assert "limits-and-approval" == decided["section"]["anchor"]
    assert ["proposal", "execution"] == [one["step"] for one in decided["assessments"]]
    assert decided["effects"][0]["stripe_id"] == decided["receipt"]["body"]["stripe_id"]
    told = grace.hears("a colleague has approved")
    [number] = set(re.findall(r"CF-\d{4}-\d{6}", told["text"]))
    assert 1 == sum("a colleague has approved" in line["text"] for line in grace.messages())
    assert 1 == len(refunds_of(fresh_world))

    held = tmp_path / "receipt.json"
    held.write_text(grace.http.get(f"/receipts/{number}").raise_for_status().text)
    genuine = counterfoil(fresh_world, "receipt", "verify", "--json", str(held))
    held.write_text(held.read_text().replace("48000", "88000"))
    forged = counterfoil(fresh_world, "receipt", "verify", number, "--json", str(held))
    assert (0, True) == (genuine.returncode, "genuine: digest" in genuine.stdout)
    assert (1, True) == (forged.returncode, "digest: Its text is not" in forged.stdout)
    assert 0 == counterfoil(fresh_world, "audit", "verify").returncode


def test_what_was_agreed_to_can_be_taken_back_before_it_is_approved(fresh_world: World) -> None:
    grace, ana = Customer(fresh_world), Staff(fresh_world, "Ana")
    card = proposed(grace, "I'd like a refund for the annual plan I bought last week", "grace@example.com")
    press(grace, card)

    back = grace.http.post(f"/actions/{card['id']}/withdrawal", json={"digest": card["digest"]})

    late = ana.post(f"/desk/actions/{card['id']}/decision", digest=card["digest"], approve=True, reason="fine")
    assert (200, "void") == (back.status_code, back.json()["state"])
    assert (409, True) == (late.status_code, "asked for anew" in late.json()["detail"])
    assert "withdrawn your request" in grace.hears("withdrawn your request")["text"]
    assert [] == refunds_of(fresh_world)


def test_while_automatic_actions_are_off_a_person_approves_even_what_was_agreed_to_before(fresh_world: World) -> None:
    """The switch is turned between the card and the yes: the card said that no colleague was needed."""
    ada, ana = Customer(fresh_world), Staff(fresh_world, "Ana")
    card = proposed(ada, "i was charged twice this month", "ada@example.com")
    assert card["needs_approval"] is False

    counterfoil(fresh_world, "policy", "stop", "--reason", "refunds look wrong").check_returncode()
    assert "asked a colleague to approve" in press(ada, card)

    assert ("awaiting_approval", []) == (state_of(ada, card), refunds_of(fresh_world))
    assert "counterfoil_automatic_actions 0.0" in ana.http.get("/metrics").text
    assert "refunds look wrong" == ana.get("/desk/switches/automatic")["reason"]
    said = {"digest": card["digest"], "approve": True, "reason": "a true duplicate"}
    decided = ana.post(f"/desk/actions/{card['id']}/decision", **said).raise_for_status().json()
    assert ("succeeded", 0) == (decided["state"], decided["approvals_missing"])
    assert "CF-" in ada.hears("a colleague has approved")["text"]
    assert [(4900, "succeeded")] == refunds_of(fresh_world)


def test_a_colleague_proposes_the_customer_agrees_and_another_colleague_approves(fresh_world: World) -> None:
    linus, ana, ben = Customer(fresh_world), Staff(fresh_world, "Ana", "agent"), Staff(fresh_world, "Ben", "agent")
    linus.says("show me my last invoices")
    linus.signs_in("alan@example.com")
    stripe = fresh_world.sandbox.stripe()
    alan = stripe.v1.customers.list({"email": "alan@example.com"}).data[0]
    charge = stripe.v1.charges.list({"customer": alan.id}).data[0]
    body = {"kind": "refund", "target": charge.id, "amount": 500, "ground": "goodwill", "reason": "the outage of May"}

    made = ana.post(f"/desk/threads/{linus.thread}/proposals", **body).raise_for_status().json()
    told = linus.hears("A colleague suggests this")
    [card] = [card for card in told["cards"] if card["type"] == "proposal"]
    assert (made["digest"], 500) == (card["digest"], card["amount"])
    assert "asked a colleague to approve" in press(linus, card)

    said = {"digest": card["digest"], "approve": True, "reason": "fine"}
    assert 409 == ana.post(f"/desk/actions/{card['id']}/decision", **said).status_code
    assert "succeeded" == ben.post(f"/desk/actions/{card['id']}/decision", **said).json()["state"]
    assert [(500, "succeeded")] == refunds_of(fresh_world)


def proposed(customer: Customer, words: str, email: str) -> dict[str, Any]:
    customer.says(words)
    return card_in(customer.signs_in(email).cards)


def card_in(cards: list[dict[str, Any]]) -> dict[str, Any]:
    [card] = [card for card in cards if card["type"] == "proposal"]
    return card


def press(customer: Customer, card: dict[str, Any], *, confirm: bool = True) -> str:
    """The button, twice as impatient people press it, and what was said then."""
    body = {"digest": card["digest"], "confirm": confirm}
    runs = {customer.http.post(f"/actions/{card['id']}/confirmation", json=body).json()["run_id"] for _ in range(2)}
    [run] = runs
    joined(customer.http, customer.thread, run)
    return str(customer.messages()[-1]["text"])


def joined(http: httpx.Client, thread: str | None, run: str) -> None:
    http.get(f"/threads/{thread}/runs/{run}/join").raise_for_status()


def state_of(customer: Customer, card: dict[str, Any]) -> str:
    return str(customer.http.get(f"/actions/{card['id']}").raise_for_status().json()["state"])


def refunds_of(world: World) -> list[tuple[int, str | None]]:
    found = world.sandbox.stripe().v1.refunds.list({"limit": 100}).data
    return [(one.amount, one.status) for one in found if one.metadata and "action_id" in one.metadata]


def counterfoil(world: World, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The console script, beside the running server."""
    environment = {"COUNTERFOIL_HOME": str(world.home), "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    command = [sys.executable, "-m", "cli", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
