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

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

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
from sandbox.stripe.resources.collecting import ENDED
from sandbox.stripe.shelf import Place
from sandbox.stripe.world import Key, World, public

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


Entry = tuple[int, int, Place]
"""When something happens to an object, and what comes first of one moment: its kind's place in `DUES`, then its own."""


@dataclass
class Agenda:
    """When each object next changes by itself. Looks again only at those that have changed since (`World.stirred`)."""

    entries: dict[str | None, dict[Key, Entry]] = field(default_factory=dict)
    """By test clock; None is the sandbox's own."""
    clocks: dict[Key, str | None] = field(default_factory=dict)
    idle_until: int = 0
    """By the sandbox's own clock, for as long as nothing stirs."""

    def first(self, world: World, clock: str | None) -> tuple[int, Due, Json] | None:
        """The next moment at which something happens, with what it happens to."""
        self._renew(world)
        entries = self.entries.get(clock)
        if not entries:
            return None
        kind, identifier = min(entries, key=entries.__getitem__)
        moment, rank, _place = entries[kind, identifier]
        return moment, DUES[rank], world.objects[kind][identifier]

    def _renew(self, world: World) -> None:
        for kind, identifier in world.stirred:
            if kind in RANKS:
                self._enter(world, kind, identifier)
                self.idle_until = 0
        world.stirred.clear()

    def _enter(self, world: World, kind: str, identifier: str) -> None:
        key, rank = (kind, identifier), RANKS[kind]
        if key in self.clocks:
            del self.entries[self.clocks.pop(key)][key]
        thing = world.find(kind, identifier)
        moment = DUES[rank].moment(thing) if thing else None
        if thing is None or moment is None:
            return
        clock = self.clocks[key] = frozen.clock_of(world, thing)
        self.entries.setdefault(clock, {})[key] = (moment, rank, world.objects[kind].places[identifier])


def _agenda(world: World) -> Agenda:
    if not isinstance(world.agenda, Agenda):
        world.agenda = Agenda()
    return world.agenda


def run_due(world: World, clock: Json | None = None) -> None:
    """Does what is due by now, or on one test clock by its frozen time. Costs next to nothing when nothing is due."""
    agenda = _agenda(world)
    if clock:
        with _nobodys_request(world):
            _run_until(world, agenda, clock["frozen_time"], clock["id"])
    elif world.stirred or world.now() >= agenda.idle_until:
        with _nobodys_request(world):
            agenda.idle_until = _run_until(world, agenda, world.now(), None)


def upcoming(world: World) -> tuple[int, Due, Json] | None:
    """What happens next by the sandbox's own clock."""
    return _agenda(world).first(world, None)


@contextmanager
def _nobodys_request(world: World) -> Iterator[None]:
    key, world.request_key = world.request_key, None
    try:
        yield
    finally:
        world.request_key = key


def _run_until(world: World, agenda: Agenda, now: int, clock: str | None) -> int:
    """The first moment that is still to come."""
    latest: tuple[int, str] | None = None
    while (found := agenda.first(world, clock)) is not None and found[0] <= now:
        moment, due, thing = found
        if latest == (moment, thing["id"]):
            raise RuntimeError(f"{thing['id']} stays due at {moment}")
        latest = (moment, thing["id"])
        with frozen.frozen(world, moment):
            due.act(world, thing)
    return found[0] if found else NEVER


def _refund_moment(refund: Json) -> int | None:
    return refund["_later"][0] if refund["_later"] else None


def _settle(world: World, refund: Json) -> None:
    refunds.settle_due(world, refund)


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
    if not any(each["type"] == "invoice.overdue" for each in world.of("event", "data.object.id", invoice["id"])):
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
RANKS = {due.kind: rank for rank, due in enumerate(DUES)}
