"""Disputes from our side: evidence once, accepting, and what each outcome does to the money."""

from typing import Any

import pytest

from tests.fixtures.sandbox import Sandbox
from tests.sandbox.conftest import Api
from tests.sandbox.plans import event_types
from tests.sandbox.shapes import misfits


@pytest.fixture
def dispute(api: Api, sandbox: Sandbox) -> dict[str, Any]:
    return sandbox.open_dispute(api.payment(5000)["latest_charge"])


def answer(api: Api, dispute: dict[str, Any], text: str, **form: Any) -> dict[str, Any]:
    return api.make(f"disputes/{dispute['id']}", **{"evidence[uncategorized_text]": text}, **form)


def test_evidence_is_gathered_and_then_submitted_once(api: Api, dispute: dict[str, Any]) -> None:
    staged = answer(api, dispute, "Used daily.", submit="false")
    details = staged["evidence_details"]
    assert ("needs_response", True, 0) == (staged["status"], details["has_evidence"], details["submission_count"])
    sent = api.make(f"disputes/{dispute['id']}", submit="true", **{"evidence[customer_name]": "Ada"})
    assert ("under_review", "Used daily.", "Ada") == (
        sent["status"],
        sent["evidence"]["uncategorized_text"],
        sent["evidence"]["customer_name"],
    )
    assert (1, "manual") == tuple(sent["evidence_details"][key] for key in ("submission_count", "submission_method"))
    again = api.post(f"disputes/{dispute['id']}", **{"evidence[uncategorized_text]": "More"})
    assert (400, None, "evidence") == api.error(again)
    assert sent == api.read(f"disputes/{dispute['id']}")
    assert [] == misfits(sent)


def test_evidence_is_submitted_unless_told_otherwise(api: Api, dispute: dict[str, Any]) -> None:
    assert "under_review" == answer(api, dispute, "Used daily.")["status"]


def test_nothing_cannot_be_submitted(api: Api, dispute: dict[str, Any]) -> None:
    refused = api.post(f"disputes/{dispute['id']}", submit="true", **{"metadata[a]": "b"})
    assert (400, None, "submit") == api.error(refused)
    assert dispute == api.read(f"disputes/{dispute['id']}")


def test_notes_can_always_be_kept(api: Api, dispute: dict[str, Any]) -> None:
    api.make(f"disputes/{dispute['id']}/close")
    assert {"case": "7"} == api.make(f"disputes/{dispute['id']}", **{"metadata[case]": "7"})["metadata"]


@pytest.mark.parametrize(
    ("evidence", "status", "refund"), [("winning_evidence", "won", 200), ("losing_evidence", "lost", 400)]
)
def test_test_evidence_decides_at_once_and_only_what_was_won_can_be_refunded(
    api: Api, dispute: dict[str, Any], evidence: str, status: str, refund: int
) -> None:
    decided = answer(api, dispute, evidence)
    assert status == decided["status"]
    moved = [each["amount"] for each in decided["balance_transactions"]]
    assert ([-5000, 5000] if status == "won" else [-5000]) == moved
    assert refund == api.post("refunds", charge=dispute["charge"]).status_code
    assert "charge.dispute.closed" in event_types(api, dispute["id"])


def test_accepting_a_dispute_loses_it_for_good(api: Api, dispute: dict[str, Any]) -> None:
    closed = api.make(f"disputes/{dispute['id']}/close")
    assert ("lost", False) == (closed["status"], closed["is_charge_refundable"])
    assert (400, None, "id") == api.error(api.post(f"disputes/{dispute['id']}/close"))
    assert (400, "charge_disputed", None) == api.error(api.post("refunds", charge=dispute["charge"]))


def test_a_prevented_dispute_took_no_money(api: Api, sandbox: Sandbox) -> None:
    charge = api.payment(5000)["latest_charge"]
    prevented = sandbox.open_dispute(charge, status="prevented")
    assert ([], True) == (prevented["balance_transactions"], prevented["is_charge_refundable"])
    assert 200 == api.post("refunds", charge=charge).status_code


def test_a_lost_dispute_can_be_appealed(api: Api, sandbox: Sandbox, dispute: dict[str, Any]) -> None:
    answer(api, dispute, "losing_evidence")
    appealed = sandbox.post("disputes", dispute=dispute["id"], status="appeal_needs_response")
    assert ("appeal_needs_response", False) == (appealed["status"], appealed["is_charge_refundable"])
    reviewed = answer(api, dispute, "Signed receipt.")
    assert ("appeal_under_review", 2) == (reviewed["status"], reviewed["evidence_details"]["submission_count"])
    won = sandbox.post("disputes", dispute=dispute["id"], status="won")
    assert [-5000, 5000] == [each["amount"] for each in won["balance_transactions"]]
    assert [] == misfits(appealed) + misfits(reviewed) + misfits(won)


def test_an_escalated_inquiry_asks_again_with_a_new_time_limit(api: Api, sandbox: Sandbox) -> None:
    inquiry = sandbox.open_dispute(api.payment()["latest_charge"], status="warning_needs_response")
    assert "warning_under_review" == answer(api, inquiry, "It was delivered.")["status"]
    sandbox.advance(3600)
    chargeback = sandbox.post("disputes", dispute=inquiry["id"], status="needs_response")
    assert chargeback["evidence_details"]["due_by"] > inquiry["evidence_details"]["due_by"]
    assert "under_review" == answer(api, inquiry, "It was delivered, signed for.")["status"]
