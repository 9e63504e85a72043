"""`counterfoil doctor`: what is configured, reachable, embedded or missing."""

import importlib.util
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.exceptions import RedisError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli import logins
from cli.embedded_redis import find_server
from cli.parts import prepare, webhook_url
from graphs.keys import open_ledger
from graphs.settings import Settings
from prompts.registry import load
from tools.billing.stripe_billing import StripeBilling
from tools.billing.webhooks import API_VERSION
from tools.errors import CounterfoilError
from tools.knowledge.documents import read_folder
from tools.policy.engine import PolicyEngine

MARKS = {
    "ok": "[green]ok[/]",
    "embedded": "[cyan]embedded[/]",
    "off": "[dim]off[/]",
    "due": "[yellow]due[/]",
    "broken": "[bold red]broken[/]",
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    part: str
    mark: str
    said: str


async def run(console: Console) -> int:
    """Prints a table; returns 0 when nothing is broken, 1 otherwise."""
    settings = Settings.read()
    checks: list[tuple[str, Callable[[Settings], Awaitable[tuple[str, str]]]]] = [
        ("state folder", _home),
        ("server port", _port),
        ("Redis", _redis),
        ("ledger", _ledger),
        ("Stripe", _stripe),
        ("Stripe webhooks", _webhooks),
        ("mail", _mail),
        ("customers' login", logins.customers),
        ("staff's login", logins.staff),
        ("service keys", logins.machines),
        ("policy documents", _knowledge),
        ("policy rules", _policy),
        ("prompts", _prompts),
        ("language model", _model),
        ("LangGraph Studio", _studio),
    ]
    findings = [await _look(name, check, settings) for name, check in checks]
    table = Table("part", "state", "detail", title="Counterfoil", title_justify="left")
    for finding in findings:
        table.add_row(finding.part, MARKS[finding.mark], Text(finding.said))
    console.print(table)
    return 1 if any(finding.mark == "broken" for finding in findings) else 0


async def _look(name: str, check: Callable[[Settings], Awaitable[tuple[str, str]]], settings: Settings) -> Finding:
    try:
        mark, said = await check(settings)
    except CounterfoilError as error:
        mark, said = "broken", error.message
    return Finding(part=name, mark=mark, said=said)


async def _home(settings: Settings) -> tuple[str, str]:
    prepare(settings.home)
    return "ok", str(settings.home.resolve())


async def _port(settings: Settings) -> tuple[str, str]:
    if _listens(settings.host, settings.port):
        return "ok", f"something listens on {settings.host}:{settings.port} (a running server, or set PORT)"
    return "off", f"{settings.host}:{settings.port} is free; `make run` starts the server"


async def _redis(settings: Settings) -> tuple[str, str]:
    if settings.redis_url is None:
        return "embedded", f"REDIS_URL is not set; {find_server()}"
    redis = Redis.from_url(settings.redis_url)
    try:
        info = await redis.info("server")
    except (RedisError, OSError):
        return "broken", "REDIS_URL is set, but nothing answers there"
    finally:
        await redis.aclose()
    return "ok", f"version {info['redis_version']}"


async def _ledger(settings: Settings) -> tuple[str, str]:
    async with open_ledger(settings) as ledger:
        await ledger.ping()
    return ("ok", "DATABASE_URL") if settings.database_url else ("embedded", f"SQLite, {settings.home / 'ledger.db'}")


async def _stripe(settings: Settings) -> tuple[str, str]:
    if settings.demo:
        running = _listens("127.0.0.1", settings.stripe_sandbox_port)
        said = "running" if running else "starts with the server"
        return "embedded", f"simulated on port {settings.stripe_sandbox_port}, {said}"
    async with StripeBilling.open(settings.stripe_key) as billing:
        await billing.ping()
    return "ok", "the key works"


async def _webhooks(settings: Settings) -> tuple[str, str]:
    if settings.webhook_secrets:
        rotated = (
            ", two secrets: drop the old one when the rotation is over" if len(settings.webhook_secrets) > 1 else ""
        )
        return "ok", f"verified at /webhooks/stripe, API version {API_VERSION}{rotated}"
    if settings.demo:
        return "embedded", f"the simulated Stripe sends them to {webhook_url(settings)}"
    return "off", f"STRIPE_WEBHOOK_SECRET is not set (endpoint of API version {API_VERSION})"


async def _mail(settings: Settings) -> tuple[str, str]:
    if settings.smtp_url is None:
        return "embedded", f"simulated on port {settings.smtp_sandbox_port}; mails at /demo/inbox?email="
    url = urlsplit(settings.smtp_url.get_secret_value())
    host, port = url.hostname or "", url.port or 587
    return ("ok", f"{host}:{port} answers") if _listens(host, port) else ("broken", f"{host}:{port} does not answer")


async def _knowledge(settings: Settings) -> tuple[str, str]:
    sections = read_folder(settings.knowledge_folder)
    documents = {section.passage.document for section in sections}
    where = "CHROMA_URL" if settings.chroma_url else "embedded Chroma"
    return "ok", f"{len(documents)} documents, {len(sections)} sections ({where})"


async def _policy(settings: Settings) -> tuple[str, str]:
    where = f" ({settings.policy_file})" if settings.policy_file else ""
    return "ok", f"version {PolicyEngine.load(settings.policy_file).version}{where}"


async def _prompts(_: Settings) -> tuple[str, str]:
    prompts = load().prompts
    return "ok", ", ".join(f"{name} v{prompt.version}" for name, prompt in sorted(prompts.items()))


async def _model(settings: Settings) -> tuple[str, str]:
    if not settings.has_model:
        return "embedded", "local provider: OPENAI_API_KEY and OPENAI_BASE_URL are not set"
    return "ok", f"{settings.openai_model} at {settings.openai_base_url or 'the default address'} (not called)"


async def _studio(_: Settings) -> tuple[str, str]:
    if importlib.util.find_spec("langgraph_api"):
        return "ok", "`make studio` opens it"
    return "off", "`make studio` installs and opens it"


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=2):
            return True
    except OSError:
        return False
