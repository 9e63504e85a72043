"""Plans that are to end, to go on after all, or to rest."""

from calendar import monthrange
from datetime import datetime, timedelta

from nodes.drafting import Draft, draft, quoted, sentences
from nodes.resolving.matter import Json, Matter, Proposal, Resolution, request_of
from nodes.resolving.subscribed import (
    active,
    end_of,
    is_ending,
    latest_ended,
    offer_person,
    rests,
    several,
    the_one,
    without_plan,
)
from nodes.wording.parts import every
from tools.billing.types import Subscription
from tools.nlu.counting import COUNTS

BEFORE_RENEWAL = timedelta(hours=1)
"""A pause is over a little before the renewal that is to be paid for again, so that no clock decides whether it is."""


def cancel_subscription(matter: Matter) -> Resolution:
    """At the end of the paid period, for the one plan that runs on."""
    running = active(matter)
    if not running:
        return Resolution(draft=without_plan(matter))
    going_on = [plan for plan in running if not is_ending(plan)]
    if not going_on:
        return Resolution(draft=sentences([rests(plan) for plan in running]))
    plan = the_one(matter, going_on)
    return Resolution(proposal=cancellation(matter, plan)) if plan else several(matter)


def cancellation(matter: Matter, plan: Subscription) -> Proposal:
    request = request_of(matter, "cancel_subscription", plan.id, plan.price, interval=plan.interval)
    return Proposal(request=request, details=_details(plan, end=plan.period_end.isoformat()))


def undo_cancel(matter: Matter) -> Resolution:
    """Keeps a plan that is to end, or ends a pause: customers say "reactivate" to both."""
    running = active(matter)
    if ending := [plan for plan in running if is_ending(plan)]:
        plan = the_one(matter, ending)
        return Resolution(proposal=_kept(matter, plan)) if plan else several(matter)
    if paused := [plan for plan in running if plan.paused]:
        plan = the_one(matter, paused)
        return Resolution(proposal=_resumed(matter, plan)) if plan else several(matter)
    if running:
        return Resolution(draft=sentences([_goes_on(plan) for plan in running]))
    return _too_late(matter)


def _goes_on(plan: Subscription) -> Draft:
    return draft("not_cancelled", plan=plan.plan, end=plan.period_end)


def _too_late(matter: Matter) -> Resolution:
    """What has ended stays ended; policy says how to come back."""
    ended = latest_ended(matter)
    if ended is None:
        return Resolution(draft=without_plan(matter))
    said = draft("too_late_to_undo", plan=ended.plan, end=end_of(ended))
    for passage in matter.passages[:1]:
        said += draft("policy_answer", quote=quoted(passage, passage.text), citation=passage.citation)
    return Resolution(draft=said)


def _kept(matter: Matter, plan: Subscription) -> Proposal:
    request = request_of(matter, "undo_cancel", plan.id, plan.price, interval=plan.interval)
    return Proposal(request=request, details=_details(plan, end=end_of(plan).isoformat()))


def _resumed(matter: Matter, plan: Subscription) -> Proposal:
    request = request_of(matter, "resume_subscription", plan.id, plan.price, interval=plan.interval)
    return Proposal(request=request, details=_details(plan, next_at=plan.period_end.isoformat()))


def pause_subscription(matter: Matter) -> Resolution:
    """For so many months as were asked for, after the time that is paid."""
    running = active(matter)
    if not running:
        return Resolution(draft=without_plan(matter))
    free = [plan for plan in running if not plan.paused and not is_ending(plan)]
    if not free:
        return Resolution(draft=sentences([rests(plan) for plan in running]))
    plan = the_one(matter, free)
    if plan is None:
        return several(matter)
    return _unpausable(matter, plan) or _pause(matter, plan)


def _unpausable(matter: Matter, plan: Subscription) -> Resolution | None:
    """Of annual plans policy speaks itself."""
    if plan.status == "trialing":
        said = draft("pause_in_trial", plan=plan.plan, end=plan.trial_end or plan.period_end)
        return Resolution(draft=said)
    if plan.status == "past_due":
        return Resolution(draft=draft("pause_past_due", plan=plan.plan), asked="handover")
    if plan.interval != "year" and plan.every != "month":
        return offer_person(matter, draft("pause_not_monthly", plan=plan.plan, interval=every(plan.every)))
    return None


def _pause(matter: Matter, plan: Subscription) -> Resolution:
    months = 1 if plan.interval == "year" else _months(matter.details)
    if months is None:
        return Resolution(draft=draft("how_many_months", plan=plan.plan), asked="detail")
    request = request_of(matter, "pause_subscription", plan.id, plan.price, interval=plan.interval, pause_months=months)
    resumes = months_on(plan.period_end, months) - BEFORE_RENEWAL
    details = _details(plan, months=months, start=plan.period_end.isoformat(), resumes=resumes.isoformat())
    return Resolution(proposal=Proposal(request=request, details=details))


def _months(details: Json) -> int | None:
    """As they were named, or as the whole answer to how many."""
    if details.get("months"):
        return int(details["months"])
    answer = str(details.get("answer") or "").strip(" .!").casefold()
    return int(answer) if answer.isdecimal() and len(answer) < 3 else COUNTS.get(answer)


def months_on(start: datetime, months: int) -> datetime:
    """The same day so many months later, or the last one of a shorter month."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return start.replace(year=year, month=month + 1, day=min(start.day, monthrange(year, month + 1)[1]))


def _details(plan: Subscription, **more: object) -> Json:
    return {"plan": plan.plan, "interval": plan.every, **more, "evidence_ids": [plan.id]}
