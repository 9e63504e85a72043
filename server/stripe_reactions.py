"""What follows from an event of Stripe's. Each object is read again first, so order and number of events do not matter.

| what Stripe says                          | what follows                                                           |
|-------------------------------------------|------------------------------------------------------------------------|
| a refund of ours changed                  | its state and the bank's reference are kept, once                      |
| ... and it failed or was cancelled        | the customer is told once, a person gets it, its promise is dropped    |
| ... and its case was cut short            | the case goes on now, and the customer hears of its end                |
| a charge with a case under way is disputed | an audit entry; the case's own check of evidence stops it             |
| something of a cut-short case changed     | the case goes on now                                                   |
| anything else                             | nothing                                                                |

A promise of a refund is not kept by `succeeded` before its time: that the bank sent the money is not that it came.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import structlog

from graphs.cases import GraphCases
from nodes.promising import owed
from server.case_sweep import settled, take_up
from server.promises.telling import NotYet, leave_to_a_person, say_once
from server.runs.payload import notice
from server.runs.queue import RunQueue
from tools.billing.types import Dispute, Refund
from tools.errors import NotFound
from tools.ledger.ledger import Ledger
from tools.ledger.stripe_events import Note
from tools.ledger.transitions import ENDED
from tools.ledger.types import Action, InboxEvent, RefundOutcome

log = structlog.get_logger()


class Rereader(Protocol):
    """Objects by the ids that webhooks name, as Stripe has them now."""

    async def refund(self, refund: str) -> Refund: ...
    async def refunds_of(self, charge: str) -> tuple[Refund, ...]: ...
    async def dispute(self, dispute: str) -> Dispute: ...


@dataclass(frozen=True, kw_only=True)
class Reaction:
    state: Literal["processed", "ignored"]
    note: str = ""
    audit: tuple[Note, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reactions:
    """Every call is safe to repeat, and to make from many places at once."""

    ledger: Ledger
    billing: Rereader
    cases: GraphCases
    queue: RunQueue

    async def react(self, event: InboxEvent) -> Reaction:
        """Raises what stands in the way for now; then ask again later."""
        name = event.object
        if name is None:
            return Reaction(state="ignored", note="no object")
        match event.type.split("."):
            case ["refund", _] | ["charge", "refund", "updated"]:
                return await self.refund_changed(name)
            case ["charge", "refunded"]:
                return await self._charge_refunded(name)
            case ["charge", "dispute", _]:
                return await self._disputed(name)
            case ["customer", "subscription", _] | ["invoice", _]:
                return await self._target_changed(name)
            case _:
                return Reaction(state="ignored", note="of no concern")

    async def refund_changed(self, name: str) -> Reaction:
        try:
            refund = await self.billing.refund(name)
        except NotFound:
            return Reaction(state="ignored", note="not there")
        return await self._refund(refund)

    async def _charge_refunded(self, charge: str) -> Reaction:
        try:
            refunds = await self.billing.refunds_of(charge)
        except NotFound:
            return Reaction(state="ignored", note="not there")
        reactions = [await self._refund(refund) for refund in refunds]
        return next((one for one in reactions if one.state == "processed"), Reaction(state="ignored", note="not ours"))

    async def _refund(self, refund: Refund) -> Reaction:
        action = await self._maker(refund)
        if action is None:
            return Reaction(state="ignored", note="not ours")
        outcome = await self.ledger.note_refund(
            refund.id,
            action=action.id,
            state=refund.status,
            reference=refund.reference,
            failure_reason=refund.failure_reason,
        )
        action = await self._go_on(action)
        if outcome.undone:
            await self._tell(action, outcome)
        await self._settle(action, outcome)
        return Reaction(state="processed", note=outcome.state)

    async def _maker(self, refund: Refund) -> Action | None:
        """The action of ours that made it. The metadata may name one; the ledger has to agree."""
        action = await self.ledger.action(refund.action_id) if refund.action_id else None
        if action and (action.kind, action.target) == ("refund", refund.charge):
            return action
        effect = await self.ledger.effect_of(refund.id)
        return await self.ledger.action(effect.action) if effect else None

    async def _disputed(self, name: str) -> Reaction:
        try:
            dispute = await self.billing.dispute(name)
        except NotFound:
            return Reaction(state="ignored", note="not there")
        waiting = await self._under_way(dispute.charge)
        if not waiting:
            return Reaction(state="ignored", note="no case on it")
        seen = {"dispute": dispute.id, "status": dispute.status, "charge": dispute.charge}
        return Reaction(
            state="processed",
            note=dispute.status,
            audit=tuple(("dispute.seen", {**seen, "action": action.id}) for action in waiting),
        )

    async def _target_changed(self, name: str) -> Reaction:
        moved = [action for action in await self._under_way(name) if (await self._go_on(action)).state != action.state]
        if not moved:
            return Reaction(state="ignored", note="no case on it")
        return Reaction(state="processed", note="case went on")

    async def _under_way(self, target: str | None) -> list[Action]:
        found = await self.ledger.actions(target=target) if target else []
        return [action for action in found if action.state not in ENDED]

    async def _go_on(self, action: Action) -> Action:
        """One that was cut short. What moved just now is somebody's work in progress."""
        if action.state == "unknown" or (action.state == "executing" and settled(action)):
            return await take_up(action, self.cases, self.queue)
        return action

    async def _tell(self, action: Action, outcome: RefundOutcome) -> None:
        if action.state not in ENDED:
            raise NotYet
        if action.state != "succeeded":
            return  # the customer was never told that it was done
        if await self.ledger.thread(action.thread) is None:
            await leave_to_a_person(self.queue, action, owed(action, outcome))
        else:
            await say_once(self.queue, action.thread, notice(action.id), "refund undone", outcome.refund)

    async def _settle(self, action: Action, outcome: RefundOutcome) -> None:
        """What came back is owed in another way now; what went out late, after that was seen, is kept late."""
        for promise in await self.ledger.promises(action=action.id):
            if promise.kind == "refund_arrives" and promise.open:
                if outcome.undone:
                    await self.ledger.drop_promise(promise.id)
                elif promise.overdue_at and outcome.state == "succeeded":
                    await self.ledger.keep_promise(promise.id)
