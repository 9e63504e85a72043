"""For every kind of action: one that may be done, what of the world matters to it, and how often it was done."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from nodes.case.deeds.deed import Json
from tests.tools.billing.books import ACTION, DETAILS, Books
from tools.ledger.types import Action
from tools.money import Money
from tools.policy.types import ActionKind

DAY = 86_400
Somebody = Callable[[Books], Any]
"""A colleague in Stripe's dashboard, or the customer there."""


@dataclass(frozen=True, kw_only=True)
class Row:
    wanted: Callable[[Books], Action]
    done: Callable[[Books], int]
    """How often it stands at Stripe, whoever did it."""
    step: str = ""
    """Path of the request with which it is done; empty when nothing is done at Stripe."""
    matters: Mapping[str, Somebody]
    """What voids a yes to it."""
    passes: Mapping[str, Somebody] = field(default_factory=dict)
    """What does not."""
    twin: Somebody | None = None
    """The same, done by somebody else."""
    undone: Somebody | None = None
    """Takes it back; None for what is done for good."""


def action(kind: ActionKind, books: Books, target: str, amount: Money, **details: Any) -> Action:
    now = datetime.now(UTC)
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
        created=now,
        updated=now,
    )


def usd(amount: int) -> Money:
    return Money(amount, "usd")


def invoice(books: Books) -> Any:
    return books.v1.invoices.retrieve(books.owed)


def credited(books: Books) -> None:
    books.v1.credit_notes.create({"invoice": books.owed, "amount": 1000})


def on_balance(books: Books) -> None:
    given = {"amount": -300, "currency": "usd"}
    books.v1.customers.balance_transactions.create(books.customer, given)
    books.v1.customers.update(books.customer, {"description": "was given credit"})


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


def change_invoice(**to: Any) -> Somebody:
    return lambda books: books.v1.invoices.update(books.owed, to)


def change_customer(**to: Any) -> Somebody:
    return lambda books: books.v1.customers.update(books.customer, to)


def change_plan(**to: Any) -> Somebody:
    return lambda books: books.v1.subscriptions.update(books.plan.id, to)


def change_item(**to: Any) -> Somebody:
    return lambda books: change_plan(items=[{"id": books.seats.item, **to}])(books)


def dearer(books: Books) -> None:
    terms = {"currency": "usd", "unit_amount": 2000, "recurring": {"interval": "month"}}
    product = books.plan.to_dict()["items"]["data"][0]["price"]["product"]
    change_item(price=books.v1.prices.create({"product": product, **terms}).id)(books)


def rebated(books: Books) -> None:
    coupon = books.v1.coupons.create({"percent_off": 10, "duration": "forever", "name": "Friends"})
    change_plan(discounts=[{"coupon": coupon.id}])(books)


def plan(books: Books) -> Any:
    return books.v1.subscriptions.retrieve(books.plan.id)


def period_end(books: Books) -> int:
    end: int = books.plan.to_dict()["items"]["data"][0]["current_period_end"]
    return end


COLLECTED = change_invoice(auto_advance=True)
HELD = change_invoice(auto_advance=False)
NOTE: Json = {"note": "called twice"}
OPEN_INVOICE: dict[str, Somebody] = {
    "paid elsewhere": lambda books: books.v1.invoices.pay(books.owed, {"paid_out_of_band": True}),
    "written off": lambda books: books.v1.invoices.mark_uncollectible(books.owed),
    "void": lambda books: books.v1.invoices.void_invoice(books.owed),
    "credited": credited,
    "paid in part": part_paid,
}
INVOICE_PASSES: dict[str, Somebody] = {
    "noted": change_invoice(metadata=NOTE),
    "charged for something else": lambda books: books.charge,
    "credit on the balance": on_balance,
}
ENDS: dict[str, Somebody] = {
    "ended": lambda books: books.v1.subscriptions.cancel(books.plan.id),
    "to end on a day": lambda books: change_plan(cancel_at=period_end(books) - DAY)(books),
}
COSTS: dict[str, Somebody] = {"other seats": change_item(quantity=3), "dearer": dearer, "rebated": rebated}
PAUSED: Somebody = change_plan(pause_collection={"behavior": "void"})
RESUMED: Somebody = change_plan(pause_collection="")
CANCELLED: Somebody = change_plan(cancel_at_period_end=True)
KEPT: Somebody = change_plan(cancel_at_period_end=False)
RENEWED: Somebody = lambda books: books.sandbox.advance(32 * DAY)  # noqa: E731 - one of a kind with the above
PLAN_PASSES: dict[str, Somebody] = {
    "noted": change_plan(metadata=NOTE),
    "renamed": change_customer(name="Ada L."),
    "charged for something else": lambda books: books.charge,
}


def refund(books: Books) -> Action:
    return action("refund", books, books.charge, usd(500))


def credit_note(books: Books, status: str = "open") -> Action:
    return action("credit_note", books, books.owed, usd(1000), number="CF-1", invoice_status=status, memo="Sorry")


def payment_plan(books: Books) -> Action:
    COLLECTED(books)
    schedule = [{"due": "2026-12-01", "amount": 40_000}, {"due": "2027-01-01", "amount": 80_000}]
    card: Json = {"payment_method": books.card, "brand": "visa", "last4": "4242"}
    return action("payment_plan", books, books.owed, usd(120_000), number="CF-1", schedule=schedule, **card)


def instalment(books: Books, **changes: Any) -> Action:
    details: Json = {"number": "CF-1", "plan": "act_0", "place": 1, "of": 3, "attempt": 1, "brand": "visa"}
    card: Json = {"payment_method": books.card, "last4": "4242"}
    return action("instalment", books, books.owed, usd(40_000), **details | card | changes)


def extension(books: Books) -> Action:
    COLLECTED(books)
    days: Json = {"due": "2026-12-10", "new_due": "2026-12-24"}
    return action("extend_due_date", books, books.owed, usd(120_000), number="CF-1", **days)


def resending(books: Books) -> Action:
    return action("resend_invoice", books, books.owed, usd(120_000), number="CF-1", email="ada@example.com")


def on_plan(kind: ActionKind, books: Books, **details: Any) -> Action:
    return action(kind, books, books.plan.id, usd(2400), plan="Seats", interval="month", **details)


def undoing(books: Books) -> Action:
    CANCELLED(books)
    return on_plan("undo_cancel", books, end="2026-12-23")


def pause(books: Books) -> Action:
    resumes = (datetime.now(UTC) + timedelta(days=60)).date().isoformat()
    return on_plan("pause_subscription", books, months=2, resumes=resumes)


def resuming(books: Books) -> Action:
    PAUSED(books)
    return on_plan("resume_subscription", books)


def more_seats(books: Books) -> Action:
    when = books.seats.proration_date.isoformat()
    seats: Json = {"item": books.seats.item, "price": None, "quantity": 5, "old_quantity": 2, "billed": "now"}
    return on_plan("change_subscription", books, proration_date=when, due_now=3600, **seats)


def new_details(books: Books) -> Action:
    assert DETAILS.address
    assert DETAILS.tax_id
    changes = {"name": DETAILS.name, "address": asdict(DETAILS.address), "tax_id": asdict(DETAILS.tax_id)}
    return action("change_billing_details", books, books.customer, usd(0), changes=changes, before={"name": "Ada"})


def link(books: Books) -> Action:
    return action("payment_method_link", books, books.customer, usd(0))


ROWS: dict[ActionKind, Row] = {
    "refund": Row(
        wanted=refund,
        done=lambda books: len(books.v1.refunds.list({"charge": books.charge}).data),
        step="/refunds$",
        matters={
            "given back in part": lambda books: books.v1.refunds.create({"charge": books.charge, "amount": 100}),
            "given back": lambda books: books.v1.refunds.create({"charge": books.charge}),
            "disputed": lambda books: books.sandbox.open_dispute(books.charge),
            "asked about": lambda books: books.sandbox.open_dispute(books.charge, status="warning_needs_response"),
        },
        passes={
            "noted": lambda books: books.v1.charges.update(books.charge, {"metadata": NOTE}),
            "renamed": change_customer(name="Ada L."),
            "owing": lambda books: books.owed,
        },
        twin=lambda books: books.v1.refunds.create({"charge": books.charge, "amount": 500}),
    ),
    "credit_note": Row(
        wanted=credit_note,
        done=lambda books: len(books.v1.credit_notes.list({"invoice": books.owed}).data),
        step="/credit_notes$",
        matters=OPEN_INVOICE,
        passes=INVOICE_PASSES,
        twin=credited,
    ),
    "payment_plan": Row(
        wanted=payment_plan,
        done=lambda books: int(not invoice(books).auto_advance),
        step="/invoices/",
        matters=OPEN_INVOICE,
        passes=INVOICE_PASSES,
        twin=HELD,
        undone=COLLECTED,
    ),
    "instalment": Row(
        wanted=instalment,
        done=lambda books: invoice(books).amount_paid // 40_000,
        step="/confirm$",
        matters=OPEN_INVOICE,
        passes=INVOICE_PASSES,
        twin=lambda books: part_paid(books, invoice=books.owed),
    ),
    "extend_due_date": Row(
        wanted=extension,
        done=lambda books: int(not invoice(books).auto_advance),
        step="/invoices/",
        matters=OPEN_INVOICE,
        passes=INVOICE_PASSES,
        twin=HELD,
        undone=COLLECTED,
    ),
    "resend_invoice": Row(
        wanted=resending,
        done=lambda books: len(books.v1.events.list({"type": "invoice.sent"}).data),
        step="/send$",
        matters={
            "void": OPEN_INVOICE["void"],
            "paid elsewhere": OPEN_INVOICE["paid elsewhere"],
            "another address": change_customer(email="grace@example.com"),
        },
        passes=INVOICE_PASSES | {"paid in part": part_paid, "renamed": change_customer(name="Ada L.")},
        twin=lambda books: books.v1.invoices.send_invoice(books.owed),
    ),
    "cancel_subscription": Row(
        wanted=lambda books: on_plan("cancel_subscription", books, end="2026-12-23"),
        done=lambda books: int(plan(books).cancel_at_period_end),
        step="/subscriptions/",
        matters=ENDS | {"to end already": CANCELLED, "renewed": RENEWED},
        passes=PLAN_PASSES | COSTS,
        twin=CANCELLED,
        undone=KEPT,
    ),
    "undo_cancel": Row(
        wanted=undoing,
        done=lambda books: int(not plan(books).cancel_at_period_end),
        step="/subscriptions/",
        matters=COSTS | {"kept already": KEPT, "ended": ENDS["ended"]},
        passes=PLAN_PASSES | {"paused": PAUSED},
        twin=KEPT,
    ),
    "pause_subscription": Row(
        wanted=pause,
        done=lambda books: int(plan(books).pause_collection is not None),
        step="/subscriptions/",
        matters=ENDS | {"to end": CANCELLED, "paused already": PAUSED},
        passes=PLAN_PASSES | COSTS | {"renewed": RENEWED},
        twin=PAUSED,
        undone=RESUMED,
    ),
    "resume_subscription": Row(
        wanted=resuming,
        done=lambda books: int(plan(books).pause_collection is None),
        step="/subscriptions/",
        matters=ENDS
        | COSTS
        | {
            "to end": CANCELLED,
            "resumed already": RESUMED,
            "paused until a day": lambda books: change_plan(
                pause_collection={"behavior": "void", "resumes_at": period_end(books) + DAY}
            )(books),
        },
        passes=PLAN_PASSES | {"renewed": RENEWED},
        twin=RESUMED,
        undone=PAUSED,
    ),
    "change_subscription": Row(
        wanted=more_seats,
        done=lambda books: int(plan(books).to_dict()["items"]["data"][0]["quantity"] == 5),
        step="/subscriptions/",
        matters=ENDS
        | COSTS
        | {
            "to end": CANCELLED,
            "paused": PAUSED,
            "renewed": RENEWED,
            "something else to be billed with it": lambda books: books.v1.invoice_items.create(
                {"customer": books.customer, "amount": 500, "currency": "usd"}
            ),
            "paid in part from the balance": on_balance,
        },
        passes=PLAN_PASSES,
        twin=change_item(quantity=5),
        undone=change_item(quantity=2),
    ),
    "change_billing_details": Row(
        wanted=new_details,
        done=lambda books: int(books.v1.customers.retrieve(books.customer).name == DETAILS.name),
        step="/customers/[^/]+$",
        matters={
            "renamed": change_customer(name="Ada L."),
            "moved": change_customer(address={"line1": "2 Quay", "country": "IE"}),
            "another tax id": lambda books: books.v1.customers.tax_ids.create(
                books.customer, {"type": "eu_vat", "value": "IE7654321X"}
            ),
            "deleted": lambda books: books.v1.customers.delete(books.customer),
        },
        passes={
            "noted": change_customer(metadata=NOTE),
            "another address of mail": change_customer(email="grace@example.com"),
            "owing": lambda books: books.owed,
        },
        twin=change_customer(name=DETAILS.name),
        undone=change_customer(name="Ada"),
    ),
    "payment_method_link": Row(
        wanted=link,
        done=lambda _books: 0,
        matters={"deleted": lambda books: books.v1.customers.delete(books.customer)},
        passes={"renamed": change_customer(name="Ada L."), "another address": change_customer(email="g@example.com")},
    ),
}
