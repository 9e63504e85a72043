"""The assurance ladder: every intent and every kind of action, said at every level that does not suffice."""

import uuid
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast, get_args

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import TypeAdapter
from redis.asyncio import Redis

from graphs import support
from nodes.consent import pressed
from nodes.context import Context
from nodes.human_agent import _settled
from nodes.levels import ACTIONS, INTENTS, WISHED, goal_of, level_for, level_to_agree
from nodes.resolve_billing import resolve_billing
from nodes.resolving.charges import refund_of
from nodes.resolving.matter import Proposal
from tests.fixtures.keys import KEYS
from tests.nodes.test_resolving import charge, matter
from tests.tools.identity.conftest import PEPPER
from tests.tools.identity.fakes import Directory, Post
from tools.errors import BillingUnavailable, KnowledgeUnavailable, ProofNeeded
from tools.identity.verifier import Verifier
from tools.ledger.ledger import Ledger
from tools.nlu.types import Intent, Reading, Understanding
from tools.policy.types import ActionKind
from tools.voice.voice import Voice

ADA = "ada@example.com"
KINDS = sorted(get_args(ActionKind))
Standing = str
STANDINGS: dict[Standing, int] = {"anonymous": 0, "signed in": 1, "expired": 0, "expired while signed in": 0}


@dataclass
class Recorder:
    """Stands for whatever reads or does something: notes what it is asked for, and does not answer."""

    error: type[Exception]
    asked: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        async def ask(*_: Any, **__: Any) -> Any:
            self.asked.append(name)
            raise self.error

        return ask


class Says:
    """Understands every message as this one intent."""

    def __init__(self, intent: Intent) -> None:
        self.intent = intent

    async def understand(self, *_: Any, **__: Any) -> Understanding:
        return Understanding(readings=(Reading(intent=self.intent, confidence=0.99),))


@dataclass
class Talk:
    """One conversation on the real graph, with the real verifier, ledger and Redis."""

    redis: Redis
    ledger: Ledger
    billing: Recorder = field(default_factory=lambda: Recorder(BillingUnavailable))
    cases: Recorder = field(default_factory=lambda: Recorder(BillingUnavailable))
    post: Post = field(default_factory=Post)
    directory: Directory = field(default_factory=Directory)
    thread: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self) -> None:
        self.verifier = Verifier(self.redis, self.ledger, self.post, self.directory, pepper=PEPPER, keys=KEYS)
        self.graph = support.builder.compile(checkpointer=InMemorySaver())
        self.config: Any = {"configurable": {"thread_id": self.thread}}

    async def begin(self, standing: Standing) -> None:
        await self.ledger.create_thread(self.thread, "owner", {})
        if standing == "signed in":
            await self.verifier.sign_in(self.thread, ADA)
        if standing.startswith("expired"):
            await self.ledger.bind_identity(self.thread, level=2, email=ADA, customer="cus_ada", ttl_seconds=-1)
        if standing.endswith("signed in"):
            await self.verifier.note_caller(self.thread, network="127.0.0.1", signed_in_as=ADA)
        self.directory.asked.clear()

    def context(self, intent: Intent) -> Context:
        return Context(
            billing=self.billing,
            knowledge=Recorder(KnowledgeUnavailable),
            understander=Says(intent),
            ledger=self.ledger,
            verifier=self.verifier,
            voice=Voice(),
            cases=self.cases,
            company="Acme",
        )

    async def hears(self, intent: Intent, text: str, message: HumanMessage | None = None) -> dict[str, Any]:
        """The whole state after one message that is read as `intent`."""
        said = message or HumanMessage(text, id=str(uuid.uuid4()))
        told = await self.verifier.take_code(self.thread, str(said.content), message_id=str(said.id))
        given: Any = {"messages": [HumanMessage(told, id=said.id, additional_kwargs=said.additional_kwargs)]}
        await self.graph.ainvoke(given, self.config, context=self.context(intent))
        return dict((await self.graph.aget_state(self.config)).values)


@pytest.fixture
async def redis(redis_url: str) -> Any:
    async with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def talk(redis: Redis, ledger: Ledger) -> Talk:
    return Talk(redis, ledger)


def asks_for_proof(state: dict[str, Any], standing: Standing) -> bool:
    """Whoever has an address that we know gets a code there; others are asked for one."""
    asked, words = ("email", "e-mail address") if standing == "anonymous" else ("code", "six-digit code")
    return state["asked"] == asked and words in state["messages"][-1].text


def test_every_intent_and_every_kind_of_action_declares_its_level() -> None:
    assert set(get_args(Intent)) == set(INTENTS)
    assert set(get_args(ActionKind)) == set(ACTIONS)


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_action_takes_less_than_a_code(kind: ActionKind) -> None:
    assert 2 == level_for(kind) == level_to_agree(kind) == level_to_agree(None)


def test_the_wish_behind_an_action_needs_what_the_action_needs() -> None:
    """But for what only a colleague can propose."""
    assert all(INTENTS[cast("Intent", goal_of(kind))] >= level_for(kind) for kind in set(WISHED) - {"credit_note"})


@pytest.mark.parametrize("standing", STANDINGS)
@pytest.mark.parametrize("intent", sorted(INTENTS))
async def test_below_its_level_an_intent_reads_nothing_opens_nothing_and_asks_for_proof(
    talk: Talk, intent: Intent, standing: Standing
) -> None:
    await talk.begin(standing)
    level = STANDINGS[standing]

    state = await talk.hears(intent, "words")

    assert [] == talk.cases.asked
    if level < 1:
        assert ([], []) == (talk.billing.asked, talk.directory.asked)
    if INTENTS[intent] > level:
        assert asks_for_proof(state, standing), state["messages"][-1].text
        assert [intent] == state["goals"]
        assert [] == talk.billing.asked
        assert [ADA] * (standing != "anonymous") == [to for to, _, _ in talk.post.sent]
    elif INTENTS[intent] == 1:
        assert ["picture"] == talk.billing.asked


@pytest.mark.parametrize("standing", STANDINGS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("by", ["words", "button"])
async def test_below_its_level_a_yes_to_an_action_does_nothing_and_asks_for_proof(
    talk: Talk, kind: ActionKind, standing: Standing, by: str
) -> None:
    """By words or by its button; who says it knows the card's digest."""
    await talk.begin(standing)
    await pending(talk, kind)

    state = await talk.hears("affirm", "yes", None if by == "words" else button(kind))

    assert ([], []) == (talk.cases.asked, talk.billing.asked)
    assert asks_for_proof(state, standing), state["messages"][-1].text
    assert ("c", True) == (state["case"]["id"], state["case"]["unproven"])


@pytest.mark.parametrize("standing", STANDINGS)
async def test_with_the_code_the_proposal_goes_on_where_it_was(talk: Talk, standing: Standing) -> None:
    await talk.begin(standing)
    await pending(talk, "refund")
    await talk.hears("affirm", "yes")
    if standing == "anonymous":
        await talk.verifier.start(talk.thread, ADA)

    proved = await talk.hears("give_code", talk.post.code)
    assert "My question is still open: shall I refund $49.00?" in proved["messages"][-1].text
    assert ("confirm", [], "unproven" in proved["case"]) == (proved["asked"], talk.cases.asked, False)

    assert "settle_proposal" == (await talk.hears("affirm", "yes"))["step"]


@pytest.mark.parametrize("intent", sorted(intent for intent, level in INTENTS.items() if level == 2))
async def test_with_the_code_the_wish_of_somebody_signed_in_goes_on(talk: Talk, intent: Intent) -> None:
    await talk.begin("signed in")
    await talk.hears(intent, "words")

    await talk.hears("give_code", talk.post.code)

    assert "picture" in talk.billing.asked


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("kind", KINDS)
async def test_no_case_is_opened_below_its_level_whatever_led_there(talk: Talk, kind: ActionKind, level: int) -> None:
    proposal = refund_of(matter(charge(4900)), charge(4900), "within_window")
    proposal = replace(proposal, request=replace(proposal.request, kind=kind))
    given = {"proposal": TypeAdapter(Proposal).dump_python(proposal, mode="json"), "turn": {"message_id": "m"}}

    with pytest.raises(ProofNeeded):
        await resolve_billing(cast("Any", {**given, "identity": {"level": level}}), runtime_of(talk))
    assert [] == talk.cases.asked


@pytest.mark.parametrize("standing", STANDINGS)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_button_pressed_beside_a_person_needs_the_same(
    talk: Talk, kind: ActionKind, standing: Standing
) -> None:
    await talk.begin(standing)

    said = await _settled({"case_id": "c", "digest": "d", "answer": "yes", "kind": kind}, runtime_of(talk))

    words = "too long ago that you proved" if standing == "anonymous" else "six-digit code"
    assert words in said.text
    assert [] == talk.cases.asked


def runtime_of(talk: Talk) -> Any:
    return SimpleNamespace(context=talk.context("affirm"), execution_info=SimpleNamespace(thread_id=talk.thread))


async def pending(talk: Talk, kind: ActionKind) -> None:
    case = {"id": "c", "digest": "d", "kind": kind, "ground": "customer_request", "customer": "cus_ada"}
    asked: Any = {"case": {**case, "amount": 4900, "currency": "usd"}, "asked": "confirm", "messages": []}
    await talk.ledger.create_thread(talk.thread, "owner", {})
    await talk.graph.aupdate_state(talk.config, asked, as_node="reply")


def button(kind: ActionKind) -> HumanMessage:
    payload = {"case_id": "c", "digest": "d", "answer": "yes", "kind": kind}
    return pressed({**payload, "text": "Yes, do it.", "message_id": str(uuid.uuid4())})
