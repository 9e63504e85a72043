"""What a run is asked to do, and how that enters the graph.

A payload is the JSON that the ledger keeps with the run, masked already. Its type is chosen by the server from the
caller's role and route. On a free thread it becomes the graph's input; on a parked one, the answer to its interrupt.
"""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID, uuid5

from langchain_core.messages import HumanMessage
from langgraph.types import Command, StateSnapshot

from nodes.consent import pressed
from tools.errors import IllegalTransition
from tools.policy.types import ActionKind
from tools.safety.types import Masked

Json = dict[str, Any]
Answer = Literal["yes", "no"]

BUTTONS: dict[Answer, str] = {"yes": "Yes, do it.", "no": "No, thank you."}


@dataclass(frozen=True)
class Start:
    """Give this to the graph."""

    value: Json | Command[Any] | None


@dataclass(frozen=True)
class SettleFirst:
    """An earlier run failed after its answer was taken in: let the graph finish with that one, then look again."""


@dataclass(frozen=True)
class Finished:
    """A worker that was killed had done everything but say so."""


Plan = Start | SettleFirst | Finished


def customer_message(message_id: str, said: Masked) -> Json:
    return {"type": "customer_message", "message_id": message_id, "text": said.text, "masked": list(said.found)}


def customer_decision(message_id: str, case_id: str, digest: str, answer: Answer, kind: ActionKind) -> Json:
    """A press of a card's button. What it says in the conversation is ours; what it means is the digest."""
    said = {"type": "customer_decision", "message_id": message_id, "text": BUTTONS[answer]}
    return {**said, "case_id": case_id, "digest": digest, "answer": answer, "kind": kind}


def agent_message(message_id: str, text: str, agent: str) -> Json:
    return {"type": "agent_message", "message_id": message_id, "text": text, "agent": agent}


def return_to_agent(note: str, agent: str) -> Json:
    return {"type": "return_to_agent", "note": note, "agent": agent}


def notice(case_id: str) -> Json:
    return {"type": "notice", "case_id": case_id}


def word(says: list[Json], *, case_id: str | None = None, person: str = "") -> Json:
    """To tell the customer of a promise: replies of `nodes.promise_words`. `person`: why one is needed, if one is."""
    return {"type": "notice", "case_id": case_id, "says": says, "person": person}


def handover(reason: str) -> Json:
    return {"type": "handover", "reason": reason}


def plan(payload: Json, run_id: str, snapshot: StateSnapshot, taken_in: list[Json]) -> Plan:
    """How to go on from `snapshot`. `taken_in`: answers that are stored with it and were not worked off."""
    if (snapshot.metadata or {}).get("run_id") == run_id:
        # Not `next`: it is empty too when a step's tasks are done and their checkpoint is not written yet.
        return Finished() if snapshot.interrupts or not snapshot.tasks else Start(None)
    payload = _named_anew(payload, run_id, snapshot)
    if not snapshot.interrupts:
        return Start(_input(payload))
    if payload["type"] == "handover":
        return Finished()  # a person has it already
    if taken_in and payload not in taken_in:
        return SettleFirst()
    return Start(Command(resume={snapshot.interrupts[0].id: payload}))


def _named_anew(payload: Json, run_id: str, snapshot: StateSnapshot) -> Json:
    """A message that came under the id of another would take its place in the state."""
    wanted = payload.get("message_id")
    if wanted not in {message.id for message in snapshot.values.get("messages") or []}:
        return payload
    return {**payload, "message_id": str(uuid5(UUID(run_id), str(wanted)))}


def _input(payload: Json) -> Json:
    kind = payload["type"]
    match kind:
        case "customer_message":
            kwargs = {"masked": payload["masked"]} if payload["masked"] else {}
            return {"messages": [HumanMessage(payload["text"], id=payload["message_id"], additional_kwargs=kwargs)]}
        case "customer_decision":
            return {"messages": [pressed(payload)]}
        case "notice":
            return {"notice": {name: value for name, value in payload.items() if name != "type"}}
        case "handover":
            return {"handover": {"reason": payload["reason"]}}
        case "agent_message" | "return_to_agent":
            raise IllegalTransition("This conversation is no longer with a person.")
        case _:
            raise ValueError(f"unknown payload {kind!r}")
