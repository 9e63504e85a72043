"""The words and the card of a proposal: amount, where it goes, by which rule, with what consequence."""

from datetime import date, datetime
from typing import Any

from nodes.drafting import Draft, draft, lines
from tools.ledger.types import Action
from tools.money import Money


def proposal_draft(action: Action) -> Draft:
    """What the customer is asked to confirm. The card names the digest that a yes stands for."""
    said = {"refund": _refund, "cancel_subscription": _cancel, "payment_plan": _plan}[action.kind](action)
    return said.with_card(proposal_card(action))


def question_of(case: dict[str, Any]) -> Draft:
    """The question of a proposal that was put before, in a few words."""
    if case["kind"] == "cancel_subscription":
        return draft("ask_cancel_subscription")
    return draft(f"ask_{case['kind']}", amount=Money(case["amount"], case["currency"]))


def case_of(action: Action) -> dict[str, Any]:
    """What the conversation remembers of a proposal that it put to the customer."""
    return {
        "id": action.id,
        "digest": action.digest,
        "kind": action.kind,
        "customer": action.customer,
        "amount": action.amount.amount,
        "currency": action.amount.currency,
    }


def proposal_card(action: Action) -> dict[str, Any]:
    return {
        "type": "proposal",
        "id": action.id,
        "digest": action.digest,
        "kind": action.kind,
        "amount": action.amount.amount,
        "currency": action.amount.currency,
        "reason": action.reason,
        "needs_approval": action.outcome == "needs_approval",
        "rule": action.rule,
        "policy_version": action.policy_version,
        "details": action.details,
    }


BRANDS = {"amex": "American Express", "jcb": "JCB", "unionpay": "UnionPay", "diners": "Diners Club"}


def brand_name(brand: str) -> str:
    return BRANDS.get(brand, brand.title())


def method(action: Action) -> Draft:
    """Where the money goes back to."""
    last4, brand = action.details.get("last4"), action.details.get("brand")
    return draft("original_card", brand=brand_name(str(brand)), last4=last4) if last4 else draft("original_method")


def schedule(action: Action) -> Draft:
    parts = action.details.get("schedule", [])
    return lines(
        [
            draft(
                "plan_line", due=date.fromisoformat(part["due"]), amount=Money(part["amount"], action.amount.currency)
            )
            for part in parts
        ]
    )


def _refund(action: Action) -> Draft:
    template = "propose_refund_approval" if action.outcome == "needs_approval" else "propose_refund"
    made = datetime.fromisoformat(action.details["date"])
    charged = Money(action.details["charged"], action.amount.currency)
    what = draft("part_of_charge", amount=action.amount, charged=charged, date=made)
    if charged == action.amount:
        what = draft("whole_charge", amount=action.amount, date=made)
    return draft(template, what=what, method=method(action))


def _cancel(action: Action) -> Draft:
    return draft(
        "propose_cancel",
        plan=action.details["plan"],
        price=action.amount,
        interval=action.details["interval"],
        end=datetime.fromisoformat(action.details["end"]),
    )


def _plan(action: Action) -> Draft:
    template = "propose_plan_approval" if action.outcome == "needs_approval" else "propose_plan"
    return draft(
        template,
        number=action.details["number"],
        remaining=action.amount,
        parts=len(action.details["schedule"]),
        schedule=schedule(action),
    )
