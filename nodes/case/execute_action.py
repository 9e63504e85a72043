"""Carries the action out: intent row, Stripe with a key derived from the action, outcome."""

from typing import Any

import structlog
from langgraph.runtime import Runtime

from nodes.case.at_hand import action_at_hand
from nodes.case.deeds.deed import idempotency_key
from nodes.case.deeds.table import DEEDS
from nodes.context import CaseContext
from nodes.state import CaseState
from tools.billing.powers import MoneyMover
from tools.errors import BillingRefused, BillingUnavailable, IllegalTransition, NotAutomatic
from tools.ledger.effects import Outcome
from tools.ledger.ledger import Ledger
from tools.ledger.types import Action, ActionState

log = structlog.get_logger()


async def execute_action(state: CaseState, runtime: Runtime[CaseContext]) -> dict[str, Any]:
    """It happens once. Whoever comes second finds it taken; an answer that never came is said to be unknown."""
    ledger = runtime.context.ledger
    agreed = await action_at_hand(state, runtime.context)
    try:
        action = await ledger.begin_action(agreed.id, idempotency_key(agreed))
    except NotAutomatic:
        return {"progress": "stopped"}
    except IllegalTransition:
        return {"progress": "taken"}
    return {"progress": await carry_out(action, runtime.context.mover, ledger)}


async def carry_out(action: Action, mover: MoneyMover, ledger: Ledger) -> ActionState:
    """One attempt under the action's own idempotency key, and its outcome in the ledger."""
    try:
        stripe_id = await DEEDS[action.kind].send(mover, action, idempotency_key(action))
    except BillingRefused as refused:
        return await conclude(action, ledger, "refused", refused.reason or refused.message)
    except BillingUnavailable as error:
        # Whether it left us or not: the case reads Stripe before anything is tried again.
        log.warning("action.unknown", action_id=action.id, reason=error.code)
        return await _unknown(action, ledger)
    return await conclude(action, ledger, "done", stripe_id)


async def conclude(
    action: Action, ledger: Ledger, outcome: Outcome, said: str, *, actor: str = "stripe"
) -> ActionState:
    """Writes the end down; `said` is Stripe's id of the deed, or why there is none.

    Of two that worked on the same action, the second finds it concluded, and what the first wrote stays.
    """
    try:
        stripe_id = said if outcome == "done" else None
        ended = await ledger.conclude_action(action.id, outcome, stripe_id=stripe_id, actor=actor, reason=said)
    except IllegalTransition:
        return await _state_of(action, ledger)
    log.info("action.concluded", action_id=action.id, kind=action.kind, state=ended.state, amount=action.amount.amount)
    return ended.state


async def _unknown(action: Action, ledger: Ledger) -> ActionState:
    if action.state == "unknown":
        return "unknown"
    try:
        return (await ledger.move_action(action.id, "unknown", actor="code", reason="no answer from Stripe")).state
    except IllegalTransition:
        return await _state_of(action, ledger)


async def _state_of(action: Action, ledger: Ledger) -> ActionState:
    kept = await ledger.action(action.id)
    return kept.state if kept else action.state
