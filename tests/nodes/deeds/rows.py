"""For every kind of action: one that may be done, what of the world matters to it, and how often it was done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from nodes.case.deeds.deed import Json
from tests.tools.billing.books import ACTION, Books
from tools.ledger.types import Action
from tools.money import Money
from tools.policy.types import ActionKind

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
Somebody = Callable[[Books], Any]
"""A colleague in Stripe's dashboard, or the customer there."""


@dataclass(frozen=True, kw_only=True)
class Row:
    wanted: Callable[[Books], Action]
    done: Callable[[Books], int]
    """How often it stands at Stripe, whoever did it."""
    step: str
    """Path of the request with which it is done."""
    matters: Mapping[str, Somebody]
    """What voids a yes to it."""
    passes: Mapping[str, Somebody] = field(default_factory=dict)
    """What does not."""
    twin: Somebody | None = None
    """The same, done by somebody else; None where nobody else could."""


def action(kind: ActionKind, books: Books, target: str, amount: Money, **details: Any) -> Action:
    return Action(
        id=ACTION,
        thread="t",
        kind=kind,
        customer=books.customer,
        target=target,
        amount=amount,
        reason="customer_request",
        details=details,
        evidence={},
        policy_version="1",
        rule="r",
        outcome="auto",
        digest="0" * 64,
        state="executing",
        created=NOW,
        updated=NOW,
    )


def usd(amount: int) -> Money:
    return Money(amount, "usd")


def invoice(books: Books) -> Any:
    return books.v1.invoices.retrieve(books.owed)


def paid_elsewhere(books: Books) -> None:
    books.v1.invoices.pay(books.owed, {"paid_out_of_band": True})


def credited(books: Books) -> None:
    books.v1.credit_notes.create({"invoice": books.owed, "amount": 500})


def part_paid(books: Books, **metadata: str) -> None:
    """A part of the invoice, without us."""
    intent = books.v1.payment_intents.create(
        {
            "amount": 40_000,
            "currency": "usd",
            "customer": books.customer,
            "payment_method": books.card,
            "confirm": True,
            "off_session": True,
            "metadata": metadata,
        }
    )
    books.v1.invoices.attach_payment(books.owed, {"payment_intent": intent.id})


def noted_on_invoice(books: Books) -> None:
    books.v1.invoices.update(books.owed, {"metadata": {"note": "called twice"}})


def charged_otherwise(books: Books) -> None:
    assert books.charge


OPEN_INVOICE: Mapping[str, Somebody] = {
    "paid elsewhere": paid_elsewhere,
    "written off": lambda books: books.v1.invoices.mark_uncollectible(books.owed),
    "void": lambda books: books.v1.invoices.void_invoice(books.owed),
    "credited": credited,
    "paid in part": part_paid,
}


def part(books: Books, **changes: Any) -> Action:
    details: Json = {"number": "CF-1", "plan": "act_0", "place": 1, "of": 3, "attempt": 1, "brand": "visa"}
    card: Json = {"payment_method": books.card, "last4": "4242"}
    return action("instalment", books, books.owed, usd(40_000), **details | card | changes)


ROWS: dict[ActionKind, Row] = {
    "instalment": Row(
        wanted=part,
        done=lambda books: invoice(books).amount_paid // 40_000,
        step="/confirm$",
        matters=OPEN_INVOICE,
        passes={"noted": noted_on_invoice, "charged for something else": charged_otherwise},
        twin=lambda books: part_paid(books, invoice=books.owed),
    ),
}
