"""Conversations 2 to 5: policy, a person, approval, invoices."""

import re
import time
from datetime import UTC, datetime

import pytest
import redis

from tests.e2e.world import Customer, Staff, World


def test_a_policy_question_is_answered_with_citation_and_no_identity(customer: Customer) -> None:
    reply = customer.says("what is your refund policy for annual plans?")

    assert "annual-plans" in [citation["document"] for citation in reply.citations]
    assert "Source: " in reply.text
    assert "e-mail address" not in reply.text


def test_a_question_that_the_documents_do_not_cover_is_not_answered_from_nothing(customer: Customer) -> None:
    reply = customer.says("what is your policy on bringing dogs to the office?")

    assert "30 days" not in reply.text
    assert reply.citations == []


def test_a_person_takes_over_and_gives_back(fresh_world: World) -> None:
    customer, staff = Customer(fresh_world), Staff(fresh_world)
    customer.says("i was charged twice this month")
    handed = customer.says("I want to talk to a human")

    assert re.search(r"you are number \d+ in the queue", handed.text)
    waiting = [t for t in staff.get("/desk/tickets", state="waiting") if t["thread_id"] == customer.thread]
    assert len(waiting) == 1
    assert "duplicate charge" in waiting[0]["packet"]["summary"]
    ticket = waiting[0]["id"]

    assert staff.post(f"/desk/tickets/{ticket}/claim").status_code == 200
    with customer.http.stream("GET", f"/threads/{customer.thread}/stream", timeout=10) as stream:
        staff.post(f"/desk/tickets/{ticket}/messages", text="Hello, this is Sam. How can I help?").raise_for_status()
        assert any("this is Sam" in line for line in stream.iter_lines())

    silent = customer.says("hello Sam, I was charged twice")
    assert silent.text == ""
    seen = [m["text"] for m in staff.get(f"/desk/tickets/{ticket}")["messages"]]
    assert "hello Sam, I was charged twice" in seen

    staff.post(f"/desk/tickets/{ticket}/return", note="Please check the November charges.").raise_for_status()
    assert "Please check the November charges." in customer.hears("back with the automated assistant")["text"]

    going_on = customer.says("ok, my email is ada@example.com")
    assert "six-digit code" in going_on.text
    assert "$49.00" in customer.says(fresh_world.code("ada@example.com")).text


def test_only_the_agent_who_claimed_answers(customer: Customer, world: World) -> None:
    customer.says("I want to talk to a human")
    first, second = Staff(world, "Sam"), Staff(world, "Kim")
    [ticket] = [t["id"] for t in first.get("/desk/tickets", state="waiting") if t["thread_id"] == customer.thread]
    first.post(f"/desk/tickets/{ticket}/claim").raise_for_status()

    assert second.post(f"/desk/tickets/{ticket}/claim").status_code == 409
    assert second.post(f"/desk/tickets/{ticket}/messages", text="me too").status_code == 409


@pytest.fixture
def big_refund(fresh_world: World) -> Customer:
    """Grace wants 480.00 back and has said yes: above the automatic limit."""
    customer = Customer(fresh_world)
    customer.says("I'd like a refund for the annual plan I bought last week")
    proposed = customer.signs_in("grace@example.com")
    assert "$480.00" in proposed.text
    assert "a colleague has to approve" in proposed.text
    assert "I'll tell you here" in customer.says("yes please").text
    return customer


def refunds_of(world: World) -> list[tuple[int, str | None]]:
    client = world.sandbox.stripe()
    found = client.v1.refunds.list({"limit": 100}).data
    return [(r.amount, r.status) for r in found if r.metadata and "action_id" in r.metadata]


def test_a_refund_above_the_limit_waits_for_approval_and_runs_once(fresh_world: World, big_refund: Customer) -> None:
    staff = Staff(fresh_world)
    [action] = staff.get("/desk/actions", state="awaiting_approval")

    assert refunds_of(fresh_world) == []
    other = staff.post(f"/desk/actions/{action['id']}/decision", digest="0" * 64, approve=True, reason="fine")
    assert other.status_code == 409
    assert refunds_of(fresh_world) == []

    decision = {"digest": action["digest"], "approve": True, "reason": "first annual charge, in the window"}
    staff.post(f"/desk/actions/{action['id']}/decision", **decision).raise_for_status()
    again = staff.post(f"/desk/actions/{action['id']}/decision", **decision)

    told = big_refund.hears("a colleague has approved")
    assert re.search(r"CF-\d{4}-\d{6}", told["text"])
    assert again.status_code == 200
    assert refunds_of(fresh_world) == [(48000, "succeeded")]


def test_what_waits_is_not_asked_for_twice_and_can_be_taken_back(fresh_world: World, big_refund: Customer) -> None:
    again = big_refund.says("I'd like a refund for the annual plan I bought last week")
    status = big_refund.says("where is my refund?")
    back = big_refund.says("cancel my refund request")

    assert "A colleague still has to approve your request for a refund of $480.00" in again.text
    assert "A colleague still has to approve your request for a refund of $480.00" in status.text
    assert "withdrawn your request for a refund of $480.00" in back.text
    assert Staff(fresh_world).get("/desk/actions", state="awaiting_approval") == []


def test_a_rejected_refund_is_told_with_the_reason(fresh_world: World, big_refund: Customer) -> None:
    staff = Staff(fresh_world)
    [action] = staff.get("/desk/actions", state="awaiting_approval")

    decision = {"digest": action["digest"], "approve": False, "reason": "the plan was used in full"}
    staff.post(f"/desk/actions/{action['id']}/decision", **decision).raise_for_status()

    assert "the plan was used in full" in big_refund.hears("did not approve it")["text"]
    assert refunds_of(fresh_world) == []


def forget_redis(world: World) -> None:
    with redis.Redis.from_url((world.home / "redis.url").read_text()) as client:
        client.flushall()


def test_an_approval_outlives_redis(fresh_world: World, big_refund: Customer) -> None:
    """Everything in Redis is lost while the approval waits; it is still there, executes once, and is told."""
    forget_redis(fresh_world)
    staff = Staff(fresh_world)
    [action] = staff.get("/desk/actions", state="awaiting_approval")

    decision = {"digest": action["digest"], "approve": True, "reason": "fine"}
    staff.post(f"/desk/actions/{action['id']}/decision", **decision).raise_for_status()

    assert refunds_of(fresh_world) == [(48000, "succeeded")]
    assert "CF-" in big_refund.hears("a colleague has approved")["text"]
    assert "Here are your latest invoices" in big_refund.says("show me my last invoices").text


def test_a_person_still_has_the_conversation_when_redis_is_lost(fresh_world: World) -> None:
    customer, staff = Customer(fresh_world), Staff(fresh_world)
    customer.says("I want to talk to a human")
    [ticket] = staff.get("/desk/tickets", state="waiting")
    staff.post(f"/desk/tickets/{ticket['id']}/claim").raise_for_status()

    forget_redis(fresh_world)

    assert customer.says("are you still there?").text == ""
    staff.post(f"/desk/tickets/{ticket['id']}/messages", text="Yes, I am.").raise_for_status()
    assert customer.hears("Yes, I am.")["role"] == "agent"


def test_the_last_invoices_are_listed_with_a_pdf_that_opens(customer: Customer) -> None:
    customer.says("show me my last invoices")
    listed = customer.signs_in("alan@example.com")

    cards = [card for card in listed.cards if card["type"] == "invoice"]
    assert len(cards) >= 2
    assert all(card["number"] in listed.text for card in cards)

    pdf = customer.says(f"can I get the PDF of invoice {cards[1]['number']}")
    [card] = [card for card in pdf.cards if card["type"] == "invoice"]
    assert cards[1]["number"] == card["number"]
    assert customer.http.get(card["pdf_url"]).content.startswith(b"%PDF")


def test_a_different_amount_is_explained_line_by_line(customer: Customer) -> None:
    customer.says("why is this month's invoice higher than last month?")
    reply = customer.signs_in("alan@example.com")

    assert "The difference is" in reply.text
    assert reply.text.count("•") >= 1


def test_an_open_invoice_is_split_to_the_cent(fresh_world: World) -> None:
    customer = Customer(fresh_world)
    customer.says("I can't pay the open invoice at once, can I pay in 3 parts?")
    offer = customer.signs_in("linus@example.com")
    assert offer.text.count("$400.00") == 3

    done = customer.says("yes please")

    assert re.search(r"CF-\d{4}-\d{6}", done.text)
    client = fresh_world.sandbox.stripe()
    linus = client.v1.customers.list({"email": "linus@example.com"}).data[0]
    [invoice] = client.v1.invoices.list({"customer": linus.id, "status": "open"}).data
    assert invoice.auto_advance is False


def test_a_subscription_is_cancelled_at_the_end_of_the_period(fresh_world: World) -> None:
    customer = Customer(fresh_world)
    customer.says("cancel my subscription at the end of the period")
    assert "does not renew" in customer.signs_in("alan@example.com").text

    done = customer.says("yes please")

    assert "won't renew" in done.text
    client = fresh_world.sandbox.stripe()
    alan = client.v1.customers.list({"email": "alan@example.com"}).data[0]
    [subscription] = client.v1.subscriptions.list({"customer": alan.id}).data
    assert subscription.cancel_at_period_end is True


def test_a_forgotten_address_is_looked_up_by_phone(world: World, customer: Customer) -> None:
    before = len(world.inbox("katherine@example.com"))
    customer.says("show me my last invoices")
    assert "phone" in customer.says("I forgot which email I used").text
    assert "If that number belongs to an account" in customer.says("+1 202 555 0123").text

    while len(world.inbox("katherine@example.com")) == before:
        time.sleep(0.05)
    reply = customer.says(world.code("katherine@example.com"))

    assert "that worked" in reply.text


def test_who_pastes_a_card_hears_why_not_to_and_what_to_do_instead(customer: Customer) -> None:
    reply = customer.says("please charge 4000 0566 5566 5556 instead")
    assert reply.streamed == reply.text
    assert "I removed what looked like card data" in reply.text
    assert "not kept" in reply.text
    assert '"change my card"' in reply.text
    assert "5556" not in reply.text
    assert "e-mail address" in customer.says("change my card").text


def test_who_pastes_a_card_while_a_person_has_the_conversation_hears_it_too(customer: Customer) -> None:
    customer.says("i want to talk to a person")
    assert "I removed what looked like card data" in customer.says("my card is 4000 0566 5566 5556").text
    assert "I removed" not in customer.says("are you there?").text


def test_two_people_on_one_address_are_told_apart_by_what_only_one_knows(world: World, customer: Customer) -> None:
    """Their cards are alike, so the last payment is asked for; it is Sam's that is shown, and never Samira's."""
    client = world.sandbox.stripe()
    [sam] = [one for one in client.v1.customers.list({"email": "sam@example.com"}).data if one.name == "Sam Rivers"]
    [charge] = client.v1.charges.list({"customer": sam.id}).data
    day = datetime.fromtimestamp(charge.created, UTC).date()
    customer.says("show me my last invoices")

    asked = customer.signs_in("sam@example.com")
    assert "What was your last payment to us" in asked.text
    assert not re.search(r"\d|Rivers|Workshop", asked.text)

    wrong = customer.says(f"29.00 on {day:%B} {day.day}")
    assert "doesn't match what I have. You have 2 tries left. What was your last payment" in wrong.text
    unsure = customer.says("I don't know")
    assert "I still need this" in unsure.text

    right = customer.says(f"$19.00 on {day:%B} {day.day}, I think")
    assert "that worked" in right.text
    assert "$19.00" in right.text
    assert "$29.00" not in right.text
    assert "[answer]" in [line["text"] for line in customer.messages() if line["role"] == "customer"][-1]


def test_after_three_wrong_answers_a_person_has_to_tell(customer: Customer) -> None:
    customer.says("show me my last invoices")
    customer.signs_in("sam@example.com")
    for number in range(2):
        customer.says(f"{number + 1}.00 on October 3")

    told = customer.says("3.00 on October 3")

    assert "I can't tell for certain which of the accounts under that address is yours" in told.text
    assert "I'm handing you over to a colleague" in told.text
