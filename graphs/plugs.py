"""The one place where real things are plugged in: settings in, clients and compiled graphs out."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from langchain_core.language_models import BaseChatModel
from langgraph.graph.state import CompiledStateGraph
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import RedisError

from graphs import action, support
from graphs.cases import GraphCases
from graphs.checkpointer import saver_options
from graphs.kept_secret import kept_secret
from graphs.keys import keyring, open_ledger
from graphs.redis_saver import RedisSaver
from graphs.settings import Settings
from graphs.traces import mask_traces
from nodes.context import CaseContext, Context, plug_in
from prompts.registry import load as prompts
from tools.billing.stripe_billing import StripeBilling
from tools.errors import ConfigurationError
from tools.identity.verifier import Verifier
from tools.knowledge.base import Knowledge
from tools.knowledge.embedders import Embedder, OpenAIEmbedder
from tools.knowledge.ingest import ingest
from tools.knowledge.minilm import MiniLM
from tools.ledger.ledger import Ledger
from tools.ledger.repository import Clock, utc_now
from tools.mail.mailer import Mailer
from tools.nlu.local import LocalUnderstander
from tools.nlu.types import Understander
from tools.policy.engine import PolicyEngine
from tools.voice.voice import Voice

Graph = CompiledStateGraph[Any, Any, Any, Any]
OPENAI = "https://api.openai.com/v1"
Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Plugs:
    """Everything that serving a conversation needs, open and ready."""

    settings: Settings
    redis: Redis
    ledger: Ledger
    billing: StripeBilling
    knowledge: Knowledge
    verifier: Verifier
    cases: GraphCases
    context: Context
    graphs: Mapping[str, Graph]


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What is slow to load and holds nothing of anybody's: who opens plugs more than once may load it once."""

    knowledge: Knowledge
    understander: Understander


@asynccontextmanager
async def open_plugs(
    settings: Settings, *, say: Progress = lambda _: None, clock: Clock = utc_now, loaded: Loaded | None = None
) -> AsyncIterator[Plugs]:
    """Opens every client in order and closes them in reverse. `say` hears what is being done; `clock` is the ledger's.

    Raises `ConfigurationError` or `Unavailable` with a sentence that says what to do.
    """
    mask_traces()
    settings.home.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        say("connecting to Redis")
        redis = await _redis(settings, stack)
        say("opening the ledger")
        ledger = await stack.enter_async_context(open_ledger(settings, clock=clock))
        billing = await stack.enter_async_context(StripeBilling.open(settings.stripe_key, settings.stripe_url))
        loaded = loaded or await _load(settings, stack, say)
        verifier = Verifier(
            redis,
            ledger,
            _mailer(settings),
            billing,
            pepper=server_secret(settings),
            keys=keyring(settings),
            company=settings.company,
            codes_per_network=settings.most_codes_per_network,
        )
        stack.push_async_callback(verifier.aclose)
        saver = RedisSaver(redis, **saver_options(settings))
        policy = PolicyEngine.load(settings.policy_file)
        case_context = CaseContext(billing=billing, mover=billing.mover(), policy=policy, ledger=ledger)
        cases = GraphCases(graph=action.builder.compile(checkpointer=saver, name="action"), context=case_context)
        context = Context(
            billing=billing,
            knowledge=loaded.knowledge,
            understander=loaded.understander,
            ledger=ledger,
            verifier=verifier,
            voice=Voice(model=_chat_model(settings)),
            cases=cases,
            company=settings.company,
        )
        plug_in(context, case_context)
        yield Plugs(
            settings=settings,
            redis=redis,
            ledger=ledger,
            billing=billing,
            knowledge=loaded.knowledge,
            verifier=verifier,
            cases=cases,
            context=context,
            graphs={"support": support.builder.compile(checkpointer=saver, name="support"), "action": cases.graph},
        )


async def _load(settings: Settings, stack: AsyncExitStack, say: Progress) -> Loaded:
    say("loading the language model for search")
    embedder = await asyncio.to_thread(MiniLM.load)
    knowledge = await stack.enter_async_context(_knowledge(settings, embedder))
    say("reading the policy documents")
    await ingest(knowledge, settings.knowledge_folder)
    say("loading the understanding of messages")
    return Loaded(knowledge=knowledge, understander=await asyncio.to_thread(_understander, settings, embedder))


def server_secret(settings: Settings) -> bytes:
    """Signs sessions and peppers one-time codes. Made at first start, readable by its owner alone."""
    if settings.secret is not None:
        return settings.secret.get_secret_value().encode()
    return kept_secret(settings.home / "secret", secrets.token_hex(32))


async def _redis(settings: Settings, stack: AsyncExitStack) -> Redis:
    if settings.redis_url is None:
        raise ConfigurationError("REDIS_URL is not set. `counterfoil serve` starts an embedded Redis by itself.")
    redis = Redis.from_url(settings.redis_url)
    stack.push_async_callback(redis.aclose)
    try:
        await redis.ping()
    except RedisError as error:
        raise ConfigurationError("Redis does not answer. Check REDIS_URL, or unset it for the embedded one.") from error
    return redis


def _knowledge(settings: Settings, local: MiniLM) -> AbstractAsyncContextManager[Knowledge]:
    embedder: Embedder = local
    if settings.openai_embedding_model is not None:
        embedder = OpenAIEmbedder(
            _model_key(settings).get_secret_value(),
            base_url=settings.openai_base_url or OPENAI,
            model=settings.openai_embedding_model,
        )
    path = None if settings.chroma_url else settings.home / "chroma"
    return Knowledge.open(path, settings.chroma_url, embedder)


def _understander(settings: Settings, embedder: MiniLM) -> Understander:
    local = LocalUnderstander.load(settings.home / "models", embedder)
    model = _chat_model(settings)
    if model is None:
        return local
    from tools.nlu.openai import FallbackUnderstander, OpenAIUnderstander  # noqa: PLC0415 - see _chat_model

    prompt = prompts().prompt("understand")
    return FallbackUnderstander(OpenAIUnderstander(model, instructions=prompt.text.strip(), prompt=prompt.stamp), local)


def _chat_model(settings: Settings) -> BaseChatModel | None:
    if not settings.has_model:
        return None
    from langchain_openai import ChatOpenAI  # noqa: PLC0415 - a second of start-up that only a key is worth

    return ChatOpenAI(
        model=settings.openai_model,
        api_key=_model_key(settings),
        base_url=settings.openai_base_url,
        timeout=20,
        max_retries=1,
        stream_usage=True,  # other servers than OpenAI's own count only when they are asked to
    )


def _model_key(settings: Settings) -> SecretStr:
    """Compatible servers on one's own machine often want none, but the client insists on some."""
    return settings.openai_api_key or SecretStr("not-needed")


def _mailer(settings: Settings) -> Mailer:
    if settings.smtp_url is None:
        return Mailer("127.0.0.1", settings.smtp_sandbox_port, settings.mail_from)
    url = urlsplit(settings.smtp_url.get_secret_value())
    if url.hostname is None:
        raise ConfigurationError("SMTP_URL needs a host: smtp://user:password@host:587")
    return Mailer(
        url.hostname,
        url.port or (465 if url.scheme == "smtps" else 587),
        settings.mail_from,
        username=unquote(url.username) if url.username else None,
        password=unquote(url.password) if url.password else None,
        starttls=url.scheme == "smtp",
        tls=url.scheme == "smtps",
    )
