"""The words and the card of a proposal, and the card of its receipt."""

from typing import Any

from nodes.drafting import Draft, draft
from nodes.promising import USUALLY
from nodes.wording.table import WORDINGS
from tools.ledger.types import Action, Receipt
from tools.money import Money


def proposal_draft(action: Action) -> Draft:
    """What the customer is asked to confirm. The card names the digest that a yes stands for."""
    said = WORDINGS[action.kind].propose(action)
    asked = draft("confirm_do")
    if action.outcome == "needs_approval":
        asked = draft("confirm_request", when=USUALLY)
    put = said.line(asked) if "\n" in said.text else said.then(asked)
    return put.with_card(proposal_card(action))


def question_of(case: dict[str, Any]) -> Draft:
    """The question of a proposal that was put before, in a few words."""
    return WORDINGS[case["kind"]].question(Money(case["amount"], case["currency"]))


def case_of(action: Action) -> dict[str, Any]:
    """What the conversation remembers of a proposal that it put to the customer."""
    return {
        "id": action.id,
        "digest": action.digest,
        "kind": action.kind,
        "ground": action.reason,
        "customer": action.customer,
        "amount": action.amount.amount,
        "currency": action.amount.currency,
    }


def receipt_card(action: Action, receipt: Receipt) -> dict[str, Any]:
    return {
        "type": "receipt",
        "number": receipt.number,
        "kind": action.kind,
        "amount": action.amount.amount,
        "currency": action.amount.currency,
        "at": receipt.created.isoformat(),
        "digest": receipt.digest,
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
