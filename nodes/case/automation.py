"""Whether anything may be carried out without a person now: the kill switch, and the breaker that turns it."""

from datetime import datetime

import structlog

from nodes.context import CaseContext
from tools.ledger.switches import AUTOMATIC

BREAKER = "breaker"

log = structlog.get_logger()


async def may_act_alone(context: CaseContext) -> bool:
    """False while the switch is off. Unusually many automatic refunds turn it off, until a person turns it on again."""
    switch = await context.ledger.switch(AUTOMATIC)
    if switch is not None and not switch.on:
        return False
    if (reason := await _anomaly(context, since=switch.at if switch else None)) is None:
        return True
    log.error("breaker.tripped", reason=reason)
    await context.ledger.turn_switch(AUTOMATIC, on=False, actor=BREAKER, reason=reason)
    return False


async def _anomaly(context: CaseContext, *, since: datetime | None) -> str | None:
    """What is unusual, in numbers. Refunds from before `since`, when somebody turned the switch on, are theirs to
    answer for.
    """
    now, policy, ledger = context.now(), context.policy, context.ledger
    begins = now - policy.breaker_window
    recent = await ledger.automatic_refunds(after=max(begins, since or begins), until=now)
    usual = await ledger.automatic_refunds(after=begins - policy.usual_over, until=begins)
    if not policy.is_anomalous(recent=recent, usual=usual):
        return None
    minutes, days = int(policy.breaker_window.total_seconds() // 60), policy.usual_over.days
    return f"{recent} automatic refunds in {minutes} minutes, after {usual} in the {days} days before"
