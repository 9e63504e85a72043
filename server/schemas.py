"""Bodies of requests. Unknown fields, reserved keys and text that cannot be kept are refused, and named.

Types are strict: `"yes"` is not true and `"5"` is not five. Nobody approves a refund by the grace of a conversion.
"""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints, model_validator

Json = dict[str, Any]
Metadata = dict[str, str | int | float | bool | None]
StreamMode = Literal["values", "updates", "messages", "messages-tuple", "custom", "tasks", "checkpoints", "debug"]
Id = Annotated[UUID, Strict(False)]  # noqa: FBT003 - in JSON a UUID is text
Day = Annotated[date, Strict(False)]  # noqa: FBT003 - in JSON a day is text
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Remark = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]

NOT_YOURS = {
    "config": "Configuration is set by the server.",
    "context": "Context is set by the server.",
    "checkpoint": "Runs go on from the newest checkpoint.",
    "checkpoint_id": "Runs go on from the newest checkpoint.",
    "interrupt_before": "Interrupts are set by the server.",
    "interrupt_after": "Interrupts are set by the server.",
    "webhook": "Webhooks are not served.",
}
LABELS = frozenset({"tags", "metadata"})
RESUMING = "__pregel_resuming"
"""RemoteGraph sends it, with the labels of a trace, when it is a node. Neither counts here: the trace is its caller's,
and whether a conversation waits for an answer is known from its own state."""


class Body(BaseModel):
    """A request's body, searched in depth before it is read."""

    model_config = ConfigDict(extra="forbid", strict=True, str_max_length=60_000)

    @model_validator(mode="before")
    @classmethod
    def refuse_reserved(cls, data: Any) -> Any:
        for path, text, is_key in _strings(data):
            if is_key and (text == "lc" or text.startswith("__")):
                raise ValueError(f"the key {text!r} at {path!r} is reserved")
            if "\x00" in text or not _is_unicode(text):
                raise ValueError(f"the text at {path!r} holds characters that cannot be kept")
        return data


class NewSession(Body):
    identity_token: str | None = Field(default=None, max_length=8_000)


class NewStaff(Body):
    name: Line = Field(min_length=1)
    role: Literal["agent", "supervisor", "admin"] = "supervisor"


class NewThread(Body):
    thread_id: Id | None = None
    metadata: Metadata = Field(default_factory=dict, max_length=20)
    if_exists: Literal["raise", "do_nothing"] = "raise"


class ThreadPatch(Body):
    metadata: Metadata = Field(max_length=20)


class ThreadCount(Body):
    model_config = ConfigDict(extra="ignore")

    metadata: Metadata | None = None
    status: Literal["idle", "busy", "interrupted", "error"] | None = None
    ids: list[Id] | None = Field(default=None, max_length=100)

    @model_validator(mode="before")
    @classmethod
    def refuse_values(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("values"):
            raise ValueError("'values' cannot be searched for. State is sealed; search by metadata.")
        return data


class ThreadSearch(ThreadCount):
    sort_by: Literal["thread_id", "status", "created_at", "updated_at"] = "created_at"
    sort_order: Literal["asc", "desc"] = "desc"
    limit: int = Field(default=10, ge=1, le=100)
    offset: int = Field(default=0, ge=0, le=100_000)


class AssistantCount(Body):
    model_config = ConfigDict(extra="ignore")

    graph_id: str | None = Field(default=None, max_length=100)
    name: str | None = Field(default=None, max_length=100)
    metadata: Metadata | None = None


class AssistantSearch(AssistantCount):
    limit: int = Field(default=10, ge=1, le=100)
    offset: int = Field(default=0, ge=0, le=100_000)


class AssistantVersions(Body):
    model_config = ConfigDict(extra="ignore")

    metadata: Metadata | None = None
    limit: int = Field(default=10, ge=1, le=100)
    offset: int = Field(default=0, ge=0, le=100_000)


class HistoryQuery(Body):
    model_config = ConfigDict(extra="ignore")

    limit: int = Field(default=10, ge=1, le=100)
    before: str | Json | None = None
    checkpoint: Json | None = None
    metadata: Metadata | None = None


class StateQuery(Body):
    model_config = ConfigDict(extra="ignore")

    checkpoint: Json


class RunCommand(Body):
    """Only an answer; where the graph goes from there is not a client's to say."""

    resume: str | Json


class RunInput(Body):
    messages: list[Json | str | list[str]] | Json | str


class NewRun(Body):
    """A message for the conversation, in the words of the Agent Server protocol."""

    assistant_id: str = Field(max_length=100)
    input: RunInput | None = None
    command: RunCommand | None = None
    metadata: Json | None = None
    stream_mode: StreamMode | list[StreamMode] = "values"
    stream_subgraphs: bool = False
    stream_resumable: bool = True
    on_disconnect: Literal["continue", "cancel"] = "continue"
    if_not_exists: Literal["create", "reject"] = "reject"
    multitask_strategy: Literal["enqueue", "reject", "interrupt"] = "enqueue"
    durability: Literal["sync", "async", "exit"] | None = None

    @model_validator(mode="before")
    @classmethod
    def leave_out_empty(cls, data: Any) -> Any:
        """SDKs send `null`, `{}` and `goto: []` for what they do not mean."""
        if not isinstance(data, dict):
            return data
        given = {key: value for key, value in data.items() if value not in (None, {}, [])}
        if isinstance(given.get("command"), dict):
            given["command"] = {key: value for key, value in given["command"].items() if value not in (None, [])}
        if _is_labels(given.get("config")):
            del given["config"]
        for name, why in NOT_YOURS.items():
            if name in given:
                raise ValueError(f"{name!r} cannot be sent. {why}")
        if given.get("multitask_strategy") == "rollback":
            raise ValueError("multitask_strategy is not 'rollback': what was begun is not undone here")
        return given

    @property
    def modes(self) -> frozenset[str]:
        return frozenset([self.stream_mode] if isinstance(self.stream_mode, str) else self.stream_mode)


class StatelessRun(NewRun):
    """On a conversation of its own, which goes with it unless it is to be kept."""

    on_completion: Literal["delete", "keep"] = "delete"


class ChatMessage(Body):
    message: str
    thread_id: Id | None = None


class Escalation(Body):
    thread_id: Id
    reason: Remark = ""


class Rating(Body):
    thread_id: Id
    rating: int = Field(ge=1, le=5)
    comment: Remark = ""


class AgentWords(Body):
    text: str


class ReturnNote(Body):
    note: Remark = ""


class Named(Body):
    """Names what is meant by its digest, so that nobody agrees to what they have not seen."""

    digest: str = Field(pattern=r"^[0-9a-f]{64}$")


class Confirmation(Named):
    confirm: bool


class Decision(Named):
    approve: bool
    reason: Remark = Field(min_length=1)


class Turning(Body):
    on: bool
    reason: Remark = Field(min_length=1)


class Proposing(Body):
    """What a colleague proposes: names and numbers of theirs. All facts about them are read from Stripe."""

    kind: Literal["refund", "credit_note", "extend_due_date", "resend_invoice", "cancel_subscription"]
    target: str = Field(min_length=4, max_length=100, pattern=r"^[A-Za-z]+_[A-Za-z0-9_]+$")
    amount: int | None = Field(default=None, ge=1, le=10**12)
    ground: Literal["goodwill", "billing_error"]
    new_due: Day | None = None
    memo: Line = ""
    reason: Remark = Field(min_length=1)


def _is_labels(config: Any) -> bool:
    if not isinstance(config, dict):
        return False
    others = {key: value for key, value in config.items() if key not in LABELS and value not in (None, {}, [])}
    return others in ({}, {"configurable": {RESUMING: True}})


def _strings(data: Any) -> Iterator[tuple[str, str, bool]]:
    """(path, text, is it a key) of every string in depth, without recursion."""
    waiting: list[tuple[str, Any]] = [("", data)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            for key, inner in value.items():
                here = f"{path}.{key}".lstrip(".")
                yield here, str(key), True
                waiting.append((here, inner))
        elif isinstance(value, list):
            waiting += [(f"{path}.{index}", inner) for index, inner in enumerate(value)]
        elif isinstance(value, str):
            yield path, value, False


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
