"""What happens by itself: everything that falls due by the sandbox's clock, in the order of its moments.

refund           settles as its test card says
subscription     3 days before a trial ends: a notice · trial or period over: renewed · `cancel_at`: ended ·
                 `pause_collection.resumes_at`: collected again · incomplete for 23 h: expired
invoice          draft of an hour with `auto_advance`: finalised and collected · `next_payment_attempt`: tried again,
                 and given up after the last · due date passed: overdue
dispute          not answered in time: an inquiry closes, a chargeback is lost
payment_intent   authorised and not captured for 7 days: the authorisation drops off

Each runs with the clock held at its own moment, so that its objects and events carry it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sandbox.stripe.errors import Json, StripeFailure
from sandbox.stripe.resources import (
    collecting,
    disputes,
    frozen,
    paying,
    payment_intents,
    refunds,
    subscribing,
)
from sandbox.stripe.resources.changing import ENDED
from sandbox.stripe.world import World, public

NEVER = 1 << 62
DAY = 86_400
DRAFT_SECONDS = 3600
INCOMPLETE_SECONDS = 23 * 3600
NOTICE_SECONDS = 3 * DAY
WHEN_UNPAID = "sandbox_when_unpaid"
"""Metadata key of a subscription: `unpaid` keeps it after the last failed retry, otherwise it is canceled."""


@dataclass(frozen=True)
class Due:
    """One kind of object: when it next changes by itself, and how. `act` must move that moment on."""

    kind: str
    moment: Callable[[Json], int | None]
    act: Callable[[World, Json], None]


@dataclass(frozen=True)
class Known:
    """The next moment, for as long as nothing has been made or told since."""

    objects: Mapping[str, Mapping[str, Json]]
    counter: int
    moment: int


def run_due(world: World, clock: Json | None = None) -> None:
    """Does what is due by now, or on one test clock by its frozen time. Costs next to nothing when nothing is due.

    Whatever changes what falls due makes an object or an event, and so moves the world's counter.
    """
    now = clock["frozen_time"] if clock else world.now()
    known = world.next_due
    if (
        clock is None
        and isinstance(known, Known)
        and known.objects is world.objects
        and known.counter == world.counter
        and now < known.moment
    ):
        return
    with _nobodys_request(world):
        moment = _run_until(world, now, clock)
    if clock is None:
        world.next_due = Known(world.objects, world.counter, moment)


@contextmanager
def _nobodys_request(world: World) -> Iterator[None]:
    key, world.request_key = world.request_key, None
    try:
        yield
    finally:
        world.request_key = key


def _run_until(world: World, now: int, clock: Json | None) -> int:
    """The first moment that is still to come."""
    latest: tuple[int, str] | None = None
    while (found := upcoming(world, clock)) is not None and found[0] <= now:
        moment, due, thing = found
        if latest == (moment, thing["id"]):
            raise RuntimeError(f"{thing['id']} stays due at {moment}")
        latest = (moment, thing["id"])
        with frozen.frozen(world, moment):
            due.act(world, thing)
    return found[0] if found else NEVER


def upcoming(world: World, clock: Json | None = None) -> tuple[int, Due, Json] | None:
    """The next moment at which something happens, with what it happens to."""
    best: tuple[int, Due, Json] | None = None
    clocked = bool(world.objects.get(frozen.KIND))
    wanted = clock["id"] if clock else None
    for due in DUES:
        for thing in world.objects.get(due.kind, {}).values():
            moment = due.moment(thing)
            if moment is None or (best is not None and moment >= best[0]):
                continue
            if not clocked or frozen.clock_of(world, thing) == wanted:
                best = (moment, due, thing)
    return best


def _refund_moment(refund: Json) -> int | None:
    return refund["_later"][0] if refund["_later"] else None


def _settle(world: World, _refund: Json) -> None:
    refunds.settle_due(world)


def _subscription_moment(subscription: Json) -> int | None:
    status = subscription["status"]
    if status in ENDED:
        return None
    if status == "incomplete":
        return int(subscription["created"]) + INCOMPLETE_SECONDS
    moments = [subscription["cancel_at"], (subscription["pause_collection"] or {}).get("resumes_at")]
    if status != "paused":
        moments.append(subscribing.period_of(subscription)[1])
    if status == "trialing" and subscription.get("_told_of") != subscription["trial_end"]:
        moments.append(_notice(subscription))
    return _first(moments)


def _first(moments: list[int | None]) -> int | None:
    return min((each for each in moments if each is not None), default=None)


def _notice(subscription: Json) -> int:
    """Three days before, or at once when the trial is shorter."""
    return max(int(subscription["trial_end"]) - NOTICE_SECONDS, int(subscription["_trial_set"]))


def _live(world: World, subscription: Json) -> None:
    now, before = world.now(), public(subscription)
    paused = subscription["pause_collection"]
    if subscription["status"] == "incomplete":
        _expire(world, subscription)
    elif subscription["cancel_at"] is not None and subscription["cancel_at"] <= now:
        subscribing.end_with_rest(world, subscription, drafted=True)
    elif paused and paused.get("resumes_at") and paused["resumes_at"] <= now:
        subscription["pause_collection"] = None
        world.emit("customer.subscription.updated", subscription, before)
    elif subscribing.period_of(subscription)[1] <= now:
        subscribing.renew(world, subscription, drafted=True)
    else:
        subscription["_told_of"] = subscription["trial_end"]
        world.emit("customer.subscription.trial_will_end", subscription)


def _expire(world: World, subscription: Json) -> None:
    """The first payment was never made."""
    before = public(subscription)
    subscription |= {"status": "incomplete_expired", "ended_at": world.now(), "canceled_at": world.now()}
    invoice = world.find("invoice", subscription["latest_invoice"])
    if invoice and invoice["status"] == "open":
        paying.void(world, invoice)
    world.emit("customer.subscription.updated", subscription, before)


def _invoice_moment(invoice: Json) -> int | None:
    if invoice["status"] == "draft" and invoice["auto_advance"]:
        return int(invoice["automatically_finalizes_at"] or invoice["created"] + DRAFT_SECONDS)
    if invoice["status"] != "open":
        return None
    moments = [] if invoice.get("_overdue") else [invoice["due_date"]]
    if invoice["auto_advance"] and invoice["collection_method"] == "charge_automatically":
        moments.append(invoice["next_payment_attempt"])
    return _first(moments)


def _advance(world: World, invoice: Json) -> None:
    if invoice["status"] == "draft":
        _finalise(world, invoice)
    elif invoice["due_date"] and not invoice.get("_overdue") and invoice["due_date"] <= world.now():
        _overdue(world, invoice)
    else:
        _collect(world, invoice)


def _finalise(world: World, invoice: Json) -> None:
    invoice["automatically_finalizes_at"] = None
    try:
        collecting.finish(world, invoice)
    except StripeFailure as failure:
        before = public(invoice)
        error = {"code": failure.code, "message": failure.message, "type": failure.kind}
        invoice |= {"auto_advance": False, "last_finalization_error": error}
        world.emit("invoice.finalization_failed", invoice, before)
        return
    if invoice["status"] == "open" and invoice["collection_method"] == "send_invoice":
        world.emit("invoice.sent", invoice)


def _collect(world: World, invoice: Json) -> None:
    """One more try. An attempt that could not even be made counts as well, or it would be tried for ever."""
    attempts = invoice["attempt_count"]
    collecting.collect(world, invoice)
    if invoice["status"] != "open":
        return
    if invoice["attempt_count"] == attempts:
        invoice["attempt_count"] += 1
        paying.payment_failed(world, invoice)
    _mark_delinquent(world, invoice)
    if invoice["next_payment_attempt"] is None:
        _give_up(world, invoice)


def _give_up(world: World, invoice: Json) -> None:
    subscription = world.find("subscription", paying.subscription_of(invoice))
    if subscription is None or subscription["status"] != "past_due":
        return
    if subscription["metadata"].get(WHEN_UNPAID) == "unpaid":
        before = public(subscription)
        subscription["status"] = "unpaid"
        world.emit("customer.subscription.updated", subscription, before)
    else:
        collecting.end(world, subscription, "payment_failed")


def _overdue(world: World, invoice: Json) -> None:
    """Told once, also when whoever planted the past has told it already."""
    invoice["_overdue"] = True
    told = (each for each in world.objects.get("event", {}).values() if each["type"] == "invoice.overdue")
    if not any(each["data"]["object"]["id"] == invoice["id"] for each in told):
        world.emit("invoice.overdue", invoice)
    collecting.mark_unpaid(world, invoice)
    _mark_delinquent(world, invoice)


def _mark_delinquent(world: World, invoice: Json) -> None:
    customer = world.get("customer", invoice["customer"])
    if not customer["delinquent"]:
        before = public(customer)
        customer["delinquent"] = True
        world.emit("customer.updated", customer, before)


def _dispute_moment(dispute: Json) -> int | None:
    return dispute["evidence_details"]["due_by"] if dispute["status"] in disputes.UNANSWERED else None


def _close(world: World, dispute: Json) -> None:
    disputes.run_out(world, dispute)


def _intent_moment(intent: Json) -> int | None:
    return intent["_capture_before"] if intent["status"] == "requires_capture" else None


def _drop_off(world: World, intent: Json) -> None:
    payment_intents.cancel(world, intent, "automatic")


DUES = (
    Due("refund", _refund_moment, _settle),
    Due("payment_intent", _intent_moment, _drop_off),
    Due("invoice", _invoice_moment, _advance),
    Due("subscription", _subscription_moment, _live),
    Due("dispute", _dispute_moment, _close),
)
