"""Decides, from facts in state alone, what this turn is for."""

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from langgraph.runtime import Runtime

from nodes.consent import ASSISTANT
from nodes.context import Context, Limits
from nodes.details import LACKED, answered, choice, details_of, values, wished
from nodes.drafting import draft
from nodes.levels import FOR_A_PERSON, GOALS, goal_of, level_needed, level_to_agree, wishes
from nodes.state import Step, SupportState
from tools.errors import Conflict
from tools.policy.types import ActionKind

RATING = re.compile(r"^\s*[1-5]\s*(/\s*5)?\s*[.!]?\s*$")
HOW = re.compile(r"^\s*(how (do|does|can|could|long|many|often) |what (happens|if|is your|are your) )", re.IGNORECASE)
WITHDRAW = re.compile(
    r"\b(cancel|withdraw|stop|drop|forget|take back)\b.{0,20}\b(request|that|it|this|refund)\b", re.IGNORECASE
)
WITH_PROPOSAL = frozenset({"settle_proposal", "clarify", "answer_policy", "redirect", "greet"})
"""Steps that leave a pending proposal as it is; any other takes it back, so that none is agreed to by mistake later."""
IDENTIFYING = frozenset({"give_email", "give_phone", "forgot_email", "resend_code", "give_code"})


@dataclass(frozen=True, kw_only=True)
class Plan:
    step: Step
    goals: list[str] | None = None
    """None: as they were."""
    why: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def update(self) -> dict[str, Any]:
        goals = {} if self.goals is None else {"goals": self.goals}
        return {"step": self.step, "why": self.why, **goals, **self.extra}


async def plan_turn(state: SupportState, runtime: Runtime[Context]) -> dict[str, Any]:
    """The customer's matter moves on: each message leads to exactly one next step."""
    planned = plan(state, runtime.context.limits)
    case = state.get("case")
    if not case or planned.step in WITH_PROPOSAL or _is_being_proved(planned, state):
        return planned.update()
    if _is_a_colleagues(case):
        return _beside_a_colleagues(planned)
    with suppress(Conflict):  # it was settled meanwhile, elsewhere
        await runtime.context.cases.withdraw(case["id"], digest=case["digest"], why="went on to something else")
    return {**planned.update(), "case": None}


def _beside_a_colleagues(planned: Plan) -> dict[str, Any]:
    """Their proposal is not the customer's to take back by talking: it waits for its button, or for the same question
    once more when all that is missing is who is there.
    """
    return planned.update() if planned.step == "identify_user" else {**planned.update(), "case": None}


def _is_being_proved(planned: Plan, state: SupportState) -> bool:
    """Whoever said yes has to prove first who they are; what they said yes to waits for that."""
    unproven = {**(state.get("case") or {}), **(planned.extra.get("case") or {})}.get("unproven") is not None
    return planned.step == "identify_user" and unproven and planned.goals in (None, state.get("goals") or [])


def plan(state: SupportState, limits: Limits) -> Plan:
    """First rule that applies wins; the order is the policy."""
    for rule in RULES:
        if found := rule(state, limits):
            return found
    return _serve(state, limits)


def _screened(state: SupportState, _: Limits) -> Plan | None:
    match state["turn"].get("screen", "unknown"):
        case "unknown":
            return Plan(step="escalate", why="the safety screen could not run")
        case "unsafe":
            return Plan(step="redirect")
        case _:
            return None


def _presses_button(state: SupportState, _: Limits) -> Plan | None:
    """A button names the digest that it stands for, so it counts whatever was asked last; who pressed it counts too."""
    button = state["turn"].get("button")
    return _settles(state, button.get("kind")) if button else None


def _wants_person(state: SupportState, limits: Limits) -> Plan | None:
    if state.get("handover"):
        return Plan(step="escalate", why=str((state.get("handover") or {}).get("reason") or "asked for a person"))
    intents = _sure(state, limits)
    if state.get("asked") == "handover" and (state["turn"].get("answer") == "yes" or "affirm" in intents):
        return Plan(step="escalate", why=state.get("why") or "accepted the offer of a person")
    if "talk_to_human" in intents:
        return Plan(step="escalate", why="asked for a person")
    if for_person := FOR_A_PERSON.intersection(intents):
        return Plan(step="escalate", why=f"needs a person: {', '.join(sorted(for_person))}")
    return None


def _code_given(state: SupportState, limits: Limits) -> Plan | None:
    attempt = state.get("identity", {}).get("attempt")
    if attempt is None:
        return None
    if attempt == "ambiguous":
        said = {"draft": draft("account_unclear").to_json()}
        return Plan(step="escalate", why="several accounts share the verified e-mail address", extra=said)
    if attempt == "verified" and (case := state.get("case")) and "unproven" in case:
        return _proved(state, case)
    if attempt == "verified" and state.get("goals"):
        return _serve(state, limits)
    return Plan(step="identify_user")


def _proved(state: SupportState, case: dict[str, Any]) -> Plan:
    """The question is put again to its customer, and to nobody else."""
    customer = state["identity"].get("customer")
    if customer in {None, case["customer"]}:
        kept = case if customer is None else {name: case[name] for name in case if name != "unproven"}
        return Plan(step="identify_user", extra={"case": kept})
    if goals := _goals_of_case(state):
        return _proceed(state, goals, {"details": {}})
    return Plan(step="identify_user", goals=[], extra={"case": None})


def _withdraws(state: SupportState, _: Limits) -> Plan | None:
    if state.get("waiting") and state.get("asked") != "confirm" and WITHDRAW.search(state["turn"]["text"]):
        return Plan(step="withdraw_request")
    return None


def _answers_question(state: SupportState, limits: Limits) -> Plan | None:
    text, slots, intents = state["turn"]["text"], state["turn"]["slots"], _sure(state, limits)
    match state.get("asked"):
        case "confirm" if state.get("case"):
            return _answers_proposal(state, intents)
        case "rating" if RATING.match(text) or not _is_about_something(intents):
            return Plan(step="close_conversation")
        case "phone" | "email" if slots.get("phone") or slots.get("email") or "@" in text:
            return Plan(step="identify_user")
        case "account" if state["identity"].get("question") and not _is_about_something(intents):
            return Plan(step="identify_user")
        case "which_charge" if state["turn"].get("answer") == "no":
            return Plan(step="greet", goals=[])
        case "which_charge" if details_of(state) and not wishes(intents):
            chosen = {**(state.get("details") or {}), **choice(state, limits.invoices_shown)}
            return _proceed(state, state.get("goals") or [], {"details": chosen})
        case "which_charge" if not _is_about_something(intents):
            return _missed(state, limits) or _proceed(state, state.get("goals") or [], {"details": {}})
        case "detail":
            return _answers_detail(state, limits)
        case "handover" if state["turn"].get("answer") == "no":
            return Plan(step="greet", extra={"why": ""})
        case _:
            return None


def _answers_detail(state: SupportState, limits: Limits) -> Plan | None:
    """What the current wish lacked, unless the customer wants something else."""
    intents, goal = _sure(state, limits), next(iter(state.get("goals") or []), "")
    if state["turn"].get("answer") == "no" or intents[:1] == ["decline"]:
        return Plan(step="greet", goals=[])
    other = set(wishes(intents)) - {goal} or "policy_question" in intents
    if other and not LACKED.get(goal, frozenset()).intersection(values(state, [goal])):
        return None
    return _proceed(state, state.get("goals") or [], {"details": answered(state, goal)})


def _answers_proposal(state: SupportState, intents: list[str]) -> Plan | None:
    """Only a plain yes is a yes. A no may be looser: it changes nothing."""
    answer = state["turn"].get("answer")
    if answer is None and (not intents or intents[0] not in {"affirm", "decline"}):
        return None
    if answer is None and intents[0] == "affirm":
        return Plan(step="clarify")
    return _settles(state, (state.get("case") or {}).get("kind"))


def _settles(state: SupportState, kind: ActionKind | None) -> Plan:
    """An answer counts from somebody who has just proved who they are; until then, what it was given to waits."""
    if state["identity"].get("level", 0) >= level_to_agree(kind):
        return Plan(step="settle_proposal")
    case = state.get("case")
    return Plan(step="identify_user", extra={"case": {**case, "unproven": True}} if case else {})


def _asks_how(state: SupportState, limits: Limits) -> Plan | None:
    """How something works is asked of the policies, and needs no identity."""
    known = state.get("identity", {}).get("customer") is not None
    if HOW.match(state["turn"]["text"]) and (not known or _pending(state)):
        return Plan(step="answer_policy")
    return None


def _identifies(state: SupportState, limits: Limits) -> Plan | None:
    intents = _sure(state, limits)
    who, said = IDENTIFYING.intersection(intents), wishes(intents)
    if not who or (who == {"give_email"} and "email" in values(state, said)):
        return None
    details = {"details": wished(state, said)} if said else {}
    return Plan(step="identify_user", goals=said or state.get("goals") or [], extra=details)


def _unsure(state: SupportState, limits: Limits) -> Plan | None:
    if _sure(state, limits):
        return None
    identity = state.get("identity", {})
    if identity.get("question") or (state.get("asked") == "code" and identity.get("challenge") == "pending"):
        return Plan(step="identify_user")
    return _missed(state, limits) or Plan(step="clarify")


def _missed(state: SupportState, limits: Limits) -> Plan | None:
    """A person, once we have asked as often as we may."""
    if state.get("clarifications", 0) < limits.clarifications:
        return None
    return Plan(step="escalate", why="two messages in a row were not understood well enough")


def _talk(state: SupportState, limits: Limits) -> Plan | None:
    intents = _sure(state, limits)
    if any(intent in GOALS for intent in intents):
        return None
    match intents[0]:
        case "greeting" | "capabilities":
            return Plan(step="greet")
        case "policy_question" | "tax_question":
            return Plan(step="answer_policy")
        case "out_of_scope":
            return Plan(step="redirect")
        case "affirm" if state.get("goals"):
            return None
        case "thanks" | "goodbye":
            return Plan(step="close_conversation", goals=[])
        case "decline":
            return Plan(step="greet", goals=[])
        case _:
            return Plan(step="clarify")


def _serve(state: SupportState, limits: Limits) -> Plan:
    said = wishes(_sure(state, limits))
    goals = said or state.get("goals") or []
    details = wished(state, said) if said else {**(state.get("details") or {}), **details_of(state)}
    return _proceed(state, goals, {"details": details})


def _proceed(state: SupportState, goals: list[str], details: dict[str, Any]) -> Plan:
    """To the billing data, once it is sure enough whose they are."""
    if state.get("identity", {}).get("level", 0) < level_needed(goals) or not state["identity"].get("customer"):
        return Plan(step="identify_user", goals=goals, extra=details)
    return Plan(step="fetch_billing", goals=goals, extra=details)


def _sure(state: SupportState, limits: Limits) -> list[str]:
    """Intents read with enough confidence, best first."""
    return [intent for intent, confidence in state["turn"].get("readings", []) if confidence >= limits.confidence]


def _is_about_something(intents: list[str]) -> bool:
    """Whether it is a matter of its own, rather than an answer that was not understood."""
    return any(intent in GOALS or intent == "policy_question" for intent in intents)


def _pending(state: SupportState) -> bool:
    return state.get("asked") == "confirm" and bool(state.get("case"))


def _goals_of_case(state: SupportState) -> list[str]:
    """The wish that the proposal came from, to take up again once the customer is known; a colleague's has none."""
    case = state.get("case")
    return [] if not case or _is_a_colleagues(case) else [goal_of(case["kind"], case.get("ground"))]


def _is_a_colleagues(case: dict[str, Any]) -> bool:
    return bool(case.get("proposer", ASSISTANT) != ASSISTANT)


RULES = (
    _screened,
    _presses_button,
    _asks_how,
    _wants_person,
    _code_given,
    _withdraws,
    _answers_question,
    _identifies,
    _unsure,
    _talk,
)
