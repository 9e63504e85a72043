"""Carries the action out: intent row, Stripe with a key derived from the action, outcome."""

from typing import Any

import structlog
from langgraph.runtime import Runtime

from nodes.case.deeds.deed import idempotency_key
from nodes.case.deeds.table import DEEDS
from nodes.context import CaseContext
from nodes.state import CaseState
from tools.billing.powers import MoneyMover
from tools.errors import BillingRefused, BillingUnavailable, IllegalTransition
from tools.ledger.ledger import Ledger
from tools.ledger.types import Action, ActionState

log = structlog.get_logger()


async def execute_action(state: CaseState, runtime: Runtime[CaseContext]) -> dict[str, Any]:
    """It happens once. Whoever comes second finds it taken; an answer that never came is said to be unknown."""
    ledger = runtime.context.ledger
    try:
        action = await ledger.move_action(state["case_id"], "executing", actor="code")
    except IllegalTransition:
        return {"progress": "taken"}
    await ledger.begin_effect(action.id, idempotency_key(action), action.target, action.kind)
    return {"progress": await carry_out(action, runtime.context.mover, ledger)}


async def carry_out(action: Action, mover: MoneyMover, ledger: Ledger) -> ActionState:
    """One attempt under the action's own idempotency key, and its outcome in the ledger."""
    try:
        stripe_id = await DEEDS[action.kind].send(mover, action, idempotency_key(action))
    except BillingRefused as refused:
        await ledger.finish_effect(action.id, "refused", None)
        await ledger.move_action(action.id, "failed", actor="stripe", reason=refused.reason or refused.message)
        return "failed"
    except BillingUnavailable as error:
        # Whether it left us or not: the case reads Stripe before anything is tried again.
        log.warning("action.unknown", action_id=action.id, reason=error.code)
        if action.state != "unknown":
            await ledger.move_action(action.id, "unknown", actor="code", reason="no answer from Stripe")
        return "unknown"
    await ledger.finish_effect(action.id, "done", stripe_id)
    await ledger.move_action(action.id, "succeeded", actor="stripe", reason=stripe_id)
    log.info("action.succeeded", action_id=action.id, kind=action.kind, amount=action.amount.amount)
    return "succeeded"
