"""Changes of plans, dates and details: the customer sees what it means, agrees, and Stripe says so afterwards."""

import re
from typing import Any

import pytest

from tests.e2e.world import Customer, Reply, Staff, World


@pytest.fixture
def katherine(fresh_world: World) -> Customer:
    """Starter, 19.00 a month."""
    return Customer(fresh_world)


def plan_of(world: World, email: str) -> dict[str, Any]:
    client = world.sandbox.stripe().v1
    [customer] = client.customers.list({"email": email}).data
    return dict(client.subscriptions.list({"customer": customer.id}).data[0].to_dict())


def price_of(plan: dict[str, Any]) -> int:
    return int(plan["items"]["data"][0]["price"]["unit_amount"])


def proposal(reply: Reply) -> dict[str, Any]:
    [card] = [card for card in reply.cards if card["type"] == "proposal"]
    return card


def test_a_dearer_plan_costs_what_was_said_and_a_pause_after_it_rests_and_ends(
    fresh_world: World, katherine: Customer
) -> None:
    katherine.says("I want to upgrade")
    offered = katherine.signs_in("katherine@example.com")
    assert "Team at $49.00 per month" in offered.text
    put = katherine.says("Team please")
    due = proposal(put)["details"]["due_now"]
    assert f"${due / 100:.2f} is due for the rest of the period" in put.text
    assert "Visa card ending in 4242" in put.text

    assert re.search(r"CF-\d{4}-\d{6}", katherine.says("yes").text)
    assert price_of(plan_of(fresh_world, "katherine@example.com")) == 4900
    client = fresh_world.sandbox.stripe().v1
    assert due in [charge.amount for charge in client.charges.list({"limit": 3}).data]

    assert "one, two or three" in katherine.says("please pause my plan").text
    paused = katherine.says("two")
    assert "for 2 months" in paused.text
    assert "starts again by itself on" in katherine.says("yes").text
    assert plan_of(fresh_world, "katherine@example.com")["pause_collection"]["behavior"] == "void"

    katherine.says("end the pause")
    assert "pause of your Team plan is over" in katherine.says("yes").text
    assert plan_of(fresh_world, "katherine@example.com")["pause_collection"] is None


def test_when_the_facts_move_the_same_reply_shows_how_it_stands_and_a_fresh_card(fresh_world: World) -> None:
    alan = Customer(fresh_world)
    alan.says("add two more seats")
    first = alan.signs_in("alan@example.com")
    assert "from 4 seats to 6 seats" in first.text
    plan = plan_of(fresh_world, "alan@example.com")
    item = str(plan["items"]["data"][0]["id"])
    client = fresh_world.sandbox.stripe().v1
    client.subscriptions.update(plan["id"], {"items": [{"id": item, "quantity": 5}], "proration_behavior": "none"})

    second = alan.says("yes")

    assert "billing data changed" in second.text
    assert "from 5 seats to 7 seats" in second.text
    assert proposal(second)["digest"] != proposal(first)["digest"]
    assert plan_of(fresh_world, "alan@example.com")["items"]["data"][0]["quantity"] == 5

    assert "has 7 seats from now on" in alan.says("yes").text
    assert plan_of(fresh_world, "alan@example.com")["items"]["data"][0]["quantity"] == 7


def test_more_time_for_an_invoice_is_approved_by_a_person_and_told(fresh_world: World) -> None:
    linus = Customer(fresh_world)
    linus.says("I need more time to pay my invoice")
    put = linus.signs_in("linus@example.com")
    assert "we collect nothing before then" in put.text
    assert "I'll tell you here as soon as they decide" in linus.says("yes").text
    assert "tell me first to withdraw" in linus.says("can I pay in 3 parts?").text

    staff = Staff(fresh_world)
    [waiting] = staff.get("/desk/actions", state="awaiting_approval")
    decision = {"digest": waiting["digest"], "approve": True, "reason": "has always paid"}
    staff.post(f"/desk/actions/{waiting['id']}/decision", **decision).raise_for_status()

    told = linus.hears("you have time until")
    assert "a colleague has approved" in told["text"]


def test_invoices_say_something_else_from_now_on_and_a_card_is_changed_behind_a_button(fresh_world: World) -> None:
    ada = Customer(fresh_world)
    assert "Which e-mail address is on your account?" in ada.says("please change my email to ada.b@example.com").text
    put = ada.signs_in("ada@example.com")
    assert "ada.b@example.com (instead of ada@example.com)" in put.text
    ada.says("no")
    ada.says("change the company name on my invoices")
    assert "Byron Analytics Ltd (instead of Ada Byron)" in ada.says("Byron Analytics Ltd").text
    ada.says("yes")
    [customer] = fresh_world.sandbox.stripe().v1.customers.list({"email": "ada@example.com"}).data
    assert customer.name == "Byron Analytics Ltd"

    ada.says("I have a new card")
    done = ada.says("yes")
    [link] = [card for card in done.cards if card["type"] == "link"]
    assert "press the button" in done.text
    assert "http" not in done.text + str(link)


@pytest.mark.parametrize(
    ("email", "wish", "told"),
    [
        ("grace@example.com", "pause my subscription for two months", "Only a plan that is paid monthly can be paused"),
        ("barbara@example.com", "pause my plan for a month", "These are alike"),
        ("seoyeon@example.com", "cancel my subscription", "already set to end"),
        ("ada@example.com", "downgrade to Starter", "is no larger than your Team plan"),
        ("katherine@example.com", "I need more time to pay my invoice", "nothing is due"),
        ("katherine@example.com", "please email me my last invoice again", "can't be mailed once more from here"),
    ],
)
def test_what_is_not_possible_is_told_as_it_stands_and_nothing_is_proposed(
    world: World, email: str, wish: str, told: str
) -> None:
    customer = Customer(world)
    customer.says(wish)
    said = customer.signs_in(email)

    assert told in said.text
    assert [card for card in said.cards if card["type"] == "proposal"] == []
