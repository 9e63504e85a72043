"""What a customer is told will happen is on the desk's list until it has happened."""

import re

from tests.e2e.world import Customer, Staff, World


def test_a_decision_and_an_answer_are_promised_by_a_time_and_kept_by_the_desk(fresh_world: World) -> None:
    customer, staff = Customer(fresh_world), Staff(fresh_world)
    customer.says("i want a refund for my annual plan")
    customer.signs_in("grace@example.com")

    asked = customer.says("yes")

    assert re.search(r"expect it by \w+ \d+, 20\d\d, \d\d:00 UTC", asked.text)
    promised = staff.get("/desk/promises", overdue=False)
    assert {("answer_by", customer.thread), ("outcome", customer.thread)} == {
        (one["kind"], one["thread_id"]) for one in promised
    }
    [waiting] = staff.get("/desk/actions", state="awaiting_approval")
    staff.post(
        f"/desk/actions/{waiting['id']}/decision", approve=True, digest=waiting["digest"], reason="first year"
    ).raise_for_status()
    customer.hears("has been refunded", within=30)
    assert ["refund_arrives"] == [one["kind"] for one in staff.get("/desk/promises", overdue=False)]

    handed = customer.says("i want to talk to a person")

    assert re.search(r"A colleague answers here by \w+ \d+, 20\d\d, \d\d:00 UTC", handed.text)
    [ticket] = staff.get("/desk/tickets", state="waiting")
    assert {"refund_arrives", "answer_by"} == {one["kind"] for one in staff.get("/desk/promises", overdue=False)}
    staff.post(f"/desk/tickets/{ticket['id']}/claim").raise_for_status()
    staff.post(f"/desk/tickets/{ticket['id']}/messages", text="Hello, Sam here.").raise_for_status()
    customer.hears("Sam here", within=30)
    assert ["refund_arrives"] == [one["kind"] for one in staff.get("/desk/promises", overdue=False)]
    assert [] == staff.get("/desk/promises", overdue=True)
