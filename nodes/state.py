"""State of a conversation and of a case: messages and flat JSON facts, each documented under it."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, cast

from langchain_core.messages import AnyMessage, BaseMessage
from langgraph.graph.message import Messages, add_messages
from typing_extensions import TypedDict

from tools.identity.telling_apart import Kind

STATE_VERSION = 1

MESSAGES_IN_STATE = 60
"""The state carries the end of the conversation, the ledger all of it: the 500th turn costs what the 50th does."""

Json = dict[str, Any]
Stage = Literal["greeting", "identify", "check_billing", "present_options", "resolve", "success", "escalated", "human"]
Asked = Literal[
    "email", "phone", "code", "account", "confirm", "handover", "which_charge", "detail", "clarify", "rating",
]  # fmt: skip
Step = Literal[
    "greet", "identify_user", "fetch_billing", "answer_policy", "settle_proposal", "withdraw_request", "clarify",
    "redirect", "escalate", "close_conversation",
]  # fmt: skip


def latest_messages(left: Sequence[BaseMessage], right: Sequence[BaseMessage] | BaseMessage) -> list[AnyMessage]:
    """`add_messages`, of which the last `MESSAGES_IN_STATE` stay."""
    return cast("list[AnyMessage]", add_messages(cast("Messages", left), cast("Messages", right)))[-MESSAGES_IN_STATE:]


class Turn(TypedDict, total=False):
    """What the latest message of the customer was read as."""

    message_id: str
    text: str
    screen: Literal["safe", "unsafe", "unknown"]
    masked: list[str]
    """Kinds of secret that were taken out of it."""
    readings: list[tuple[str, float]]
    """Intents with their probabilities, best first."""
    slots: Json
    language: str
    answer: Literal["yes", "no"] | None
    """A plain yes or no, by exact words: nothing else counts as consent."""
    button: Json | None
    """`{"case_id", "digest", "answer", "kind"}` when it is a press of a card's button. Set by the server alone."""


class IdentityFacts(TypedDict, total=False):
    """A copy of what the server has bound, read anew each turn. Writing here changes nothing."""

    level: int
    email: str | None
    customer: str | None
    challenge: Literal["none", "pending", "locked"]
    tries_left: int
    question: Kind | None
    """What is asked to tell several accounts on one address apart."""
    reachable: str | None
    """Where a code may go without being asked for the address."""
    attempt: str | None
    """Outcome of the code or answer in this very message, if it was one."""


class SupportInput(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], latest_messages]
    notice: Json | None
    """`{"case_id"}`: tell the customer how that case ended. With `says` as well: tell them that, and hand them
    over when `person` says why. Set by the server alone."""
    handover: Json | None
    """`{"reason"}`: the customer pressed the button for a person."""


class SupportOutput(TypedDict, total=False):
    """What a customer may see of the state."""

    messages: Annotated[list[AnyMessage], latest_messages]
    stage: Stage
    ticket: Json | None


class SupportState(SupportInput, total=False):
    version: int
    stage: Stage
    turn: Turn
    identity: IdentityFacts
    goals: list[str]
    """Intents still to be served, the current one first. They outlive the turns that identify the customer."""
    details: Json
    """Slots gathered for the current goals; `said`, the words of the wish; `answer`, those about what it lacked."""
    step: Step
    """What `plan_turn` decided for this turn."""
    why: str
    """Why a person is needed, when one is."""
    asked: Asked | None
    """The question that our last reply ended with, if any."""
    clarifications: int
    """How many times in a row we had to ask what was meant."""
    billing: Json | None
    """`{"status": "ok", "picture", "prices"?, "cards"?, "held"?}` or `{"status": "unavailable"}`."""
    passages: list[Json]
    proposal: Json | None
    """An action that resolving asks to open a case for."""
    case: Json | None
    """`{"id", "digest", "kind", "ground", "customer", "amount", "currency"}` of the proposal last put to the customer;
    with `proposer` when a colleague made it, and `unproven` while it waits for its customer to prove who they are."""
    waiting: list[Json]
    """`{"id", "digest"}` of this customer's requests that wait for a person, read anew each turn."""
    draft: Json | None
    """The reply in the making: text, facts, cards, citations, prompt."""
    ticket: Json | None
    """`{"id", "position"}` while a person has the thread, or is awaited."""


class CaseState(TypedDict, total=False):
    """A case is its row in the ledger; this is only how far the walk along it has come."""

    case_id: str
    thread: str
    proposer: str
    """Who asked for it: the assistant for the customer, or a colleague."""
    digest: str
    """Of the action, once there is one: what a word that wakes a waiting case has to name."""
    request: Json | None
    details: Json
    verdict: Json | None
    progress: str
    """State of the action in the ledger, `new` or `denied` without one."""
    evidence: Literal["holds", "changed", "unreadable"] | None
    cleared: Literal["yes", "by_a_person", "no"] | None
    """What policy says of it right before it is carried out."""
