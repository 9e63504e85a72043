"""Cases as the conversation and the desk see them: open, confirm, decline, decide, go on.

Decisions go into the ledger first, by compare-and-set on state and digest, so that of two callers one wins. Only then
does the case's graph walk on; a walk that was cut short is taken up again from the ledger, with or without checkpoint.
"""

import asyncio
import contextvars
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from langchain_core.runnables import RunnableConfig
from langgraph._internal._constants import CONFIG_KEY_STRICT_RESUME
from langgraph.errors import UnknownInterruptError
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

from nodes.case.weighing import requests, verdicts
from nodes.context import Case, CaseContext
from tools.errors import IllegalTransition, NotFound
from tools.ledger.types import Action
from tools.policy.types import ActionRequest

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class GraphCases:
    """`Cases` on the action graph; a case is a thread of its own."""

    graph: CompiledStateGraph[Any, Any, Any, Any]
    context: CaseContext

    async def open(
        self,
        case_id: str,
        *,
        thread: str,
        request: ActionRequest,
        details: dict[str, Any],
        proposer: str = "assistant",
    ) -> Case:
        asked = {
            "case_id": case_id,
            "thread": thread,
            "proposer": proposer,
            "request": requests.dump_python(request, mode="json"),
            "details": details,
        }
        if await self.context.ledger.action(case_id) is None:
            await _apart(self._walk(case_id, asked))
        return await self._case(case_id)

    async def confirm(self, case_id: str, *, digest: str, actor: str = "customer") -> Case:
        action = await self._action(case_id)
        if action.digest == digest and action.state != "proposed":
            return await self.go_on(case_id)
        await self.context.ledger.move_action(case_id, "confirmed", actor=actor, digest=digest)
        return await self.go_on(case_id)

    async def decline(self, case_id: str, *, digest: str) -> Case:
        await self.context.ledger.move_action(case_id, "declined", actor="customer", digest=digest)
        return await self.go_on(case_id)

    async def withdraw(self, case_id: str, *, digest: str, why: str) -> Case:
        await self.context.ledger.move_action(case_id, "void", actor="customer", reason=why, digest=digest)
        return await self.go_on(case_id)

    async def decide(
        self, case_id: str, *, digest: str, approve: bool, agent: str, reason: str, role: str = "agent"
    ) -> Case:
        await self._action(case_id)
        decided = await self.context.ledger.decide_action(
            case_id, approve=approve, agent=agent, role=role, digest=digest, reason=reason
        )
        return await self.go_on(case_id) if decided.state != "awaiting_approval" else await self._case(case_id)

    async def go_on(self, case_id: str) -> Case:
        """Walks the case as far as the ledger allows. Safe to call at any time, by several at once."""
        with suppress(IllegalTransition):  # somebody else walked it on meanwhile: what counts is how it stands
            await _apart(self._walk(case_id, {"case_id": case_id}))
        return await self._case(case_id)

    async def _walk(self, case_id: str, start: dict[str, Any]) -> None:
        """Strictly: a word goes to the very interrupt that was seen waiting, and names the action's digest.

        When that one is gone, another process woke the case meanwhile; then, as when every checkpoint is lost,
        the case is entered anew and the ledger says how far it is.
        """
        config: RunnableConfig = {"configurable": {"thread_id": place_of(case_id), CONFIG_KEY_STRICT_RESUME: True}}
        state = await self.graph.aget_state(config)
        given: Any = start
        if state.interrupts and (action := await self.context.ledger.action(case_id)):
            given = Command(resume={state.interrupts[0].id: {"digest": action.digest, "state": action.state}})
        async with self.context.ledger.recording(case=case_id):
            try:
                await self._invoke(given, config)
            except UnknownInterruptError:
                await self._invoke(start, config)

    async def _invoke(self, given: Any, config: RunnableConfig) -> None:
        await self.graph.ainvoke(given, config, context=self.context, durability="sync", version="v2")

    async def _case(self, case_id: str) -> Case:
        ledger = self.context.ledger
        state = await self.graph.aget_state({"configurable": {"thread_id": place_of(case_id)}})
        verdict = state.values.get("verdict")
        action = await ledger.action(case_id)
        events = await ledger.action_events(case_id) if action else []
        return Case(
            verdict=verdicts.validate_python(verdict) if verdict else None,
            action=action,
            receipt=await ledger.receipt_of(case_id) if action else None,
            reason=events[-1].reason if events else "",
        )

    async def _action(self, case_id: str) -> Action:
        action = await self.context.ledger.action(case_id)
        if action is None:
            raise NotFound("There is no such action.")
        if action.state == "expired":
            raise IllegalTransition("This proposal has expired. Ask for it again.")
        return action


def place_of(case_id: str) -> str:
    """Where a case's checkpoints are. No UUID, so that no conversation that a client names can ever be there too."""
    return f"case-{case_id}"


async def _apart(work: Coroutine[Any, Any, T]) -> T:
    """Runs `work` outside of the calling graph's context, so that the case is a thread of its own, not a subgraph."""
    return await asyncio.create_task(work, context=contextvars.Context())
