"""Subscriptions: their end, their pauses, their changes.

Each is found by the mark that Stripe writes together with it (`Subscription.actions`), never by how the subscription
looks: a colleague or the customer may have done the same in Stripe, or taken ours back since. A mark is written over
only by a later action of the same kind, and none begins while this one is under way.
"""

from nodes.case.deeds.deed import InOneRequest, Json, Owed
from nodes.case.deeds.saying import when
from tools.billing.powers import MoneyMover, PlanChange
from tools.billing.types import BillingReader, Subscription
from tools.ledger.types import Action


def standing(plan: Subscription) -> Json:
    """Whether it goes on, and until when."""
    return {
        "subscription": plan.id,
        "status": plan.status,
        "cancel_at_period_end": plan.cancel_at_period_end,
        "cancel_at": plan.cancel_at.isoformat() if plan.cancel_at else None,
    }


def pausing(plan: Subscription) -> Json:
    return {"paused": plan.paused, "resumes_at": plan.resumes_at.isoformat() if plan.resumes_at else None}


def costing(plan: Subscription) -> Json:
    """What it asks for from now on."""
    return {
        "items": [f"{item.id} {item.price} x{item.quantity}" for item in plan.items],
        "discount": plan.discount,
    }


class _SubscriptionDeed(InOneRequest):
    async def found(self, billing: BillingReader, action: Action) -> str | None:
        plan = await billing.subscription(action.target)
        return plan.id if action.id in plan.actions else None

    def owed(self, action: Action) -> list[Owed]:
        return []


class CancelDeed(_SubscriptionDeed):
    """At the end of the paid period."""

    async def evidence(self, billing: BillingReader, target: str, details: Json) -> Json:
        plan = await billing.subscription(target)
        return standing(plan) | {"period_end": plan.period_end.isoformat()}

    async def send(self, mover: MoneyMover, action: Action, key: str) -> str:
        ended = await mover.cancel_at_period_end(subscription=action.target, action_id=action.id, idempotency_key=key)
        return ended.id


class UndoCancelDeed(_SubscriptionDeed):
    async def evidence(self, billing: BillingReader, target: str, details: Json) -> Json:
        plan = await billing.subscription(target)
        return standing(plan) | costing(plan)

    async def send(self, mover: MoneyMover, action: Action, key: str) -> str:
        kept = await mover.undo_cancel(subscription=action.target, action_id=action.id, idempotency_key=key)
        return kept.id

    async def found(self, billing: BillingReader, action: Action) -> str | None:
        """An end on a day takes two requests to take back, and both leave our mark: an end that is still planned was
        not taken back whole, or was planned anew since. Either way it ends, so nobody may be told that it goes on.
        """
        plan = await billing.subscription(action.target)
        goes_on = not plan.cancel_at_period_end and plan.cancel_at is None
        return plan.id if action.id in plan.actions and goes_on else None

    async def begun(self, billing: BillingReader, action: Action) -> bool:
        return action.id in (await billing.subscription(action.target)).actions


class PauseDeed(_SubscriptionDeed):
    async def evidence(self, billing: BillingReader, target: str, details: Json) -> Json:
        plan = await billing.subscription(target)
        return standing(plan) | pausing(plan)

    async def send(self, mover: MoneyMover, action: Action, key: str) -> str:
        until = when(action.details["resumes"])
        paused = await mover.pause_collection(
            subscription=action.target, resumes_at=until, action_id=action.id, idempotency_key=key
        )
        return paused.id

    def owed(self, action: Action) -> list[Owed]:
        return [Owed(kind="resumes", text="the subscription resumes", due=when(action.details["resumes"]))]


class ResumeDeed(_SubscriptionDeed):
    async def evidence(self, billing: BillingReader, target: str, details: Json) -> Json:
        plan = await billing.subscription(target)
        return standing(plan) | pausing(plan) | costing(plan)

    async def send(self, mover: MoneyMover, action: Action, key: str) -> str:
        resumed = await mover.resume_collection(subscription=action.target, action_id=action.id, idempotency_key=key)
        return resumed.id


class ChangeDeed(_SubscriptionDeed):
    """Another price or quantity, as the preview showed it. When what is due now cannot be paid, nothing changes."""

    async def evidence(self, billing: BillingReader, target: str, details: Json) -> Json:
        """What it is a change of, and what it would cost now: other items and credit may have come in between.

        Raises `NotFound` when Stripe would not make it any more.
        """
        plan = await billing.subscription(target)
        cost = await billing.preview_change(target, change_of(details))
        period = {
            "period_start": plan.period_start.isoformat(),
            "period_end": plan.period_end.isoformat(),
            "trial_end": plan.trial_end.isoformat() if plan.trial_end else None,
        }
        costs = {"due_now": cost.due_now.amount, "credit": cost.credit.amount}
        return standing(plan) | pausing(plan) | costing(plan) | period | costs

    async def send(self, mover: MoneyMover, action: Action, key: str) -> str:
        changed = await mover.change_subscription(
            subscription=action.target, change=change_of(action.details), action_id=action.id, idempotency_key=key
        )
        return changed.id


def change_of(details: Json) -> PlanChange:
    """In the very words in which it was previewed."""
    return PlanChange(
        item=details["item"],
        price=details.get("price"),
        quantity=details.get("quantity"),
        billed=details["billed"],
        proration_date=when(details["proration_date"]),
    )
