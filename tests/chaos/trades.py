"""For every kind of action: how it is asked for, what shows at Stripe that it was done, and who else can do it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import stripe

from nodes.case.deeds.table import DEEDS
from tests.chaos.town import BILLED, CHARGED, EMAIL, NAME, SEAT, SIZES, Json, Size, Standing, Town
from tools.money import Money
from tools.policy.types import ActionKind, ActionRequest, Ground


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants done, in words that a printed schedule can be read by."""

    kind: ActionKind
    size: Size = "small"
    place: int = 0
    """Which of the two charges, invoices or subscriptions of that size."""
    part: int = 100
    """Per cent of a charge."""
    ground: Ground = "duplicate"
    proposer: str = "assistant"

    def __repr__(self) -> str:
        part = f" {self.part}%" if self.part != 100 else ""
        ground = f" {self.ground}" if self.ground != "duplicate" else ""
        by = f" by {self.proposer}" if self.proposer != "assistant" else ""
        return f"<{self.kind} {self.size}@{self.place}{part}{ground}{by}>"


Asked = tuple[ActionRequest, Json]


@dataclass(frozen=True, kw_only=True)
class Trade:
    ask: Callable[[Town, Wish], Asked]
    event: str
    """One of these in Stripe's event log is one effect; empty when nothing is done at Stripe."""
    meddle: Callable[[Town, Wish, bool], Any]
    """By hand in Stripe's dashboard: the whole of it, or something smaller."""
    sizes: tuple[Size, ...] = ("small",)
    """Those that policy treats differently."""


def asked_for(town: Town, wish: Wish) -> Asked:
    return TRADES[wish.kind].ask(town, wish)


def deeds_of(town: Town, kind: ActionKind, action: str) -> list[Json]:
    event = TRADES[kind].event
    return town.deeds(event, action) if event else []


def meddle(town: Town, wish: Wish, *, whole: bool) -> bool:
    """Whether it was done for certain: what Stripe refuses them, or fails at, is no matter."""
    with suppress(stripe.StripeError):
        TRADES[wish.kind].meddle(town, wish, whole)
        return True
    return False


def dispute(town: Town, wish: Wish) -> bool:
    """Once, and of a charge that was not refunded in full: others the bank would not take."""
    with suppress(httpx.HTTPStatusError):
        town.sandbox.open_dispute(town.charges[wish.size, wish.place])
        return True
    return False


def _request(town: Town, wish: Wish, target: str, amount: int, **more: Any) -> ActionRequest:
    money = Money(amount, "usd")
    facts: Json = {"refundable": money, "disputed": False, "charged_at": town.built, "ground": wish.ground}
    facts |= {"by_staff": wish.proposer != "assistant", "interval": "month", **more}
    return ActionRequest(kind=wish.kind, customer=town.customer, target=target, amount=money, **facts)


def _refund(town: Town, wish: Wish) -> Asked:
    charged, target = CHARGED[wish.size], town.charges[wish.size, wish.place]
    request = _request(town, wish, target, charged * wish.part // 100, refundable=Money(charged, "usd"))
    return request, _card(town) | {"charged": charged, "date": town.built.date().isoformat()}


def _card(town: Town) -> Json:
    return {"payment_method": town.card, "last4": "4242", "brand": "visa"}


def _day(town: Town, days: int) -> str:
    return (town.built + timedelta(days=days)).date().isoformat()


def _invoice(**says: Any) -> Callable[[Town, Wish], Asked]:
    """About all that remains of an invoice."""

    def ask(town: Town, wish: Wish) -> Asked:
        held = town.invoices[wish.size, wish.place]
        return _request(town, wish, held["id"], held["amount_remaining"], **says), {"number": held["number"]}

    return ask


def _plan(town: Town, wish: Wish) -> Asked:
    request, details = _invoice(instalments=2)(town, wish)
    parts = [{"due": _day(town, 30 * place), "amount": request.amount.amount // 2} for place in range(2)]
    return request, details | _card(town) | {"schedule": parts}


def _instalment(town: Town, wish: Wish) -> Asked:
    held = town.invoices[wish.size, wish.place]
    request = _request(town, wish, held["id"], held["amount_remaining"] // 2, planned=True)
    place: Json = {"plan": "act_0", "place": 1, "of": 2, "attempt": 1}
    return request, place | _card(town) | {"number": held["number"]}


def _extension(town: Town, wish: Wish) -> Asked:
    request, details = _invoice(extension_days=7)(town, wish)
    return request, details | {"due": _day(town, 14), "new_due": _day(town, 21)}


def _credit_note(town: Town, wish: Wish) -> Asked:
    held, whole = town.invoices[wish.size, wish.place], BILLED[wish.size]
    request = _request(town, wish, held["id"], whole // 5, refundable=Money(whole, "usd"))
    return request, {"number": held["number"], "invoice_status": "open", "memo": "Sorry"}


def _resending(town: Town, wish: Wish) -> Asked:
    request, details = _invoice()(town, wish)
    return request, details | {"email": EMAIL}


def _subscription(standing: Standing, **says: Any) -> Callable[[Town, Wish], Asked]:
    def ask(town: Town, wish: Wish) -> Asked:
        held = town.subscriptions[standing, wish.place]
        end = datetime.fromtimestamp(held["items"]["data"][0]["current_period_end"], UTC)
        resumes = {"months": 2, "resumes": _day(town, 61)} if "pause_months" in says else {}
        details = {"plan": "Seats", "interval": "month", "end": end.date().isoformat()}
        return _request(town, wish, held["id"], 2 * SEAT, **says), details | resumes

    return ask


def _more_seats(town: Town, wish: Wish) -> Asked:
    request, details = _subscription("running", upgrade=True)(town, wish)
    item = town.subscriptions["running", wish.place]["items"]["data"][0]
    since = datetime.fromtimestamp(item["current_period_start"], UTC).isoformat()
    seats: Json = {"item": item["id"], "price": None, "quantity": 5, "old_quantity": 2, "billed": "now"}
    return request, details | seats | {"proration_date": since, "due_now": 3 * SEAT, "credit": 0}


def _details(town: Town, wish: Wish) -> Asked:
    address = {"line1": "1 Harbour Rd", "line2": "", "city": "Cork", "postal_code": "T12", "country": "IE", "state": ""}
    changes: Json = {"name": "Pat & Sons", "address": address, "tax_id": {"kind": "eu_vat", "value": "IE1234567X"}}
    return _request(town, wish, town.customer, 0), {"changes": changes, "before": {"name": NAME}}


def _link(town: Town, wish: Wish) -> Asked:
    return _request(town, wish, town.customer, 0), {}


def _refunded(town: Town, wish: Wish, whole: bool) -> None:
    amount = {} if whole else {"amount": CHARGED[wish.size] // 3}
    town.v1.refunds.create({"charge": town.charges[wish.size, wish.place], **amount}, town.by_hand())


def _paid(town: Town, wish: Wish, whole: bool) -> None:
    invoice = town.invoices[wish.size, wish.place]["id"]
    if whole:
        town.v1.invoices.pay(invoice, {"paid_out_of_band": True}, town.by_hand())
    else:
        town.v1.invoices.update(invoice, {"description": "by hand"}, town.by_hand())


def _ended(standing: Standing) -> Callable[[Town, Wish, bool], None]:
    def meddle(town: Town, wish: Wish, whole: bool) -> None:
        held = town.subscriptions[standing, wish.place]["id"]
        if whole:
            town.v1.subscriptions.cancel(held, {}, town.by_hand())
        else:
            town.v1.subscriptions.update(held, {"cancel_at_period_end": True}, town.by_hand())

    return meddle


def _renamed(town: Town, wish: Wish, whole: bool) -> None:
    change = {"name": "Patricia"} if whole else {"description": "by hand"}
    town.v1.customers.update(town.customer, change, town.by_hand())


def _on_plan(ask: Callable[[Town, Wish], Asked], standing: Standing) -> Trade:
    return Trade(ask=ask, event="customer.subscription.updated", meddle=_ended(standing))


TRADES: dict[ActionKind, Trade] = {
    "refund": Trade(ask=_refund, event="refund.created", meddle=_refunded, sizes=SIZES),
    "credit_note": Trade(ask=_credit_note, event="credit_note.created", meddle=_paid, sizes=("small", "huge")),
    "payment_plan": Trade(ask=_plan, event="invoice.updated", meddle=_paid, sizes=("small", "large")),
    "instalment": Trade(ask=_instalment, event="payment_intent.succeeded", meddle=_paid),
    "extend_due_date": Trade(ask=_extension, event="invoice.updated", meddle=_paid),
    "resend_invoice": Trade(ask=_resending, event="invoice.sent", meddle=_paid),
    "cancel_subscription": _on_plan(_subscription("running"), "running"),
    "undo_cancel": _on_plan(_subscription("ending"), "ending"),
    "pause_subscription": _on_plan(_subscription("running", pause_months=2), "running"),
    "resume_subscription": _on_plan(_subscription("paused"), "paused"),
    "change_subscription": _on_plan(_more_seats, "running"),
    "change_billing_details": Trade(ask=_details, event="customer.updated", meddle=_renamed),
    "payment_method_link": Trade(ask=_link, event="", meddle=_renamed),
}
KINDS: tuple[ActionKind, ...] = tuple(DEEDS)
AT_STRIPE: tuple[ActionKind, ...] = tuple(kind for kind in KINDS if TRADES[kind].event)
"""A new kind has no chaos until it has a row above: this line fails."""
