"""Bodies of protocol v2, as strict as all others (`server/schemas.py`)."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from server.protocol.places import MOST
from server.protocol.translation import Said
from server.schemas import Body, Id, Json, NewRun, RunCommand, RunInput

Named = Annotated[str, StringConstraints(pattern=r"^custom:.+", max_length=100)]
Channel = (
    Literal["values", "updates", "messages", "custom", "lifecycle", "input", "tools", "tasks", "checkpoints"] | Named
)
Namespace = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=20)]
Number = Annotated[int, Field(ge=0, lt=MOST)]
KNOWN = ("run.start", "input.respond", "agent.getTree")


class Subscription(Body):
    """The last three channels exist in the protocol, and this graph has nothing to say on them.

    Clients in a browser never name a place: they read the state, and then want the run that goes on.
    """

    channels: list[Channel] = Field(min_length=1, max_length=50)
    namespaces: list[Namespace] | None = Field(default=None, max_length=50)
    depth: int | None = Field(default=None, ge=0, le=100)
    since: Number | None = None

    @model_validator(mode="before")
    @classmethod
    def leave_out_empty(cls, data: Any) -> Any:
        return _given(data)

    def takes(self, said: Said) -> bool:
        """Everything here is said in the root namespace. That something is missing, everybody is told."""
        is_in_scope = self.namespaces is None or [] in self.namespaces
        return said.method == "gap" or (is_in_scope and not said.channels.isdisjoint(self.channels))


class Configurable(Body):
    thread_id: Id | None = None
    """Clients repeat the name in the path."""


class Config(Body):
    """Configuration is set by the server."""

    configurable: Configurable | None = None


class Params(Body):
    config: Config | None = None
    metadata: Json | None = None

    @model_validator(mode="before")
    @classmethod
    def leave_out_empty(cls, data: Any) -> Any:
        return _given(data)

    @property
    def thread_id(self) -> str | None:
        named = self.config and self.config.configurable and self.config.configurable.thread_id
        return str(named) if named else None


class RunStartParams(Params):
    assistant_id: str = Field(max_length=100)
    input: RunInput | None = None
    multitask_strategy: Literal["enqueue", "reject"] = Field(default="enqueue", alias="multitaskStrategy")

    @property
    def as_run(self) -> NewRun:
        return NewRun(assistant_id=self.assistant_id, input=self.input, multitask_strategy=self.multitask_strategy)


class Answer(Body):
    namespace: Namespace = Field(default_factory=list)
    interrupt_id: str = Field(max_length=100)
    response: str | Json

    def as_run(self, assistant: str) -> NewRun:
        return NewRun(assistant_id=assistant, command=RunCommand(resume=self.response))


class OneAnswer(Answer, Params):
    @property
    def answers(self) -> list[Answer]:
        return [self]


class ManyAnswers(Params):
    responses: list[Answer] = Field(min_length=1, max_length=20)

    @property
    def answers(self) -> list[Answer]:
        return self.responses


class GetTreeParams(Params):
    run_id: Id | None = None


class Numbered(Body):
    id: Number


class RunStart(Numbered):
    method: Literal["run.start"]
    params: RunStartParams


class InputRespond(Numbered):
    method: Literal["input.respond"]
    params: Annotated[
        Annotated[OneAnswer, Tag("one")] | Annotated[ManyAnswers, Tag("many")],
        Discriminator(lambda params: "many" if isinstance(params, dict) and "responses" in params else "one"),
    ]


class AgentGetTree(Numbered):
    method: Literal["agent.getTree"]
    params: GetTreeParams = Field(default_factory=GetTreeParams)


class Unknown(Numbered):
    """Whatever else there is in the protocol, or will be."""

    method: str = Field(max_length=100)
    params: Any = None


def _kind(command: Any) -> str:
    method = command.get("method") if isinstance(command, dict) else getattr(command, "method", None)
    return method if method in KNOWN else "unknown"


Command = Annotated[
    Annotated[RunStart, Tag("run.start")]
    | Annotated[InputRespond, Tag("input.respond")]
    | Annotated[AgentGetTree, Tag("agent.getTree")]
    | Annotated[Unknown, Tag("unknown")],
    Discriminator(_kind),
]


def _given(data: Any) -> Any:
    """SDKs send `null` and `{}` for what they do not mean."""
    return {key: value for key, value in data.items() if value not in (None, {})} if isinstance(data, dict) else data
