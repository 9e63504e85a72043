"""The embedded parts: what is not configured is started here, and stopped with us."""

import contextlib
import fcntl
import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import SecretStr

from cli import embedded_redis
from graphs.kept_secret import kept_secret
from graphs.settings import Settings
from tools.errors import ConfigurationError

SANDBOX_LOG = "sandbox.log"


@contextlib.contextmanager
def parts(
    settings: Settings, *, meanwhile: Callable[[], None] = lambda: None, webhooks: bool = False
) -> Iterator[Settings]:
    """Starts the simulated Stripe and the embedded Redis where needed; yields settings that name them.

    `meanwhile` is called while they are starting. With `webhooks`, the simulated Stripe tells the server on our port
    what happens. Raises `ConfigurationError`: a folder that cannot be written, a port
    that is taken.
    """
    prepare(settings.home)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_alone(settings.home))
        if settings.demo and webhooks:
            settings = _with_webhook_secret(settings)
        sandbox = stack.enter_context(_sandbox(settings, webhooks=webhooks)) if settings.demo else None
        if settings.redis_url is None:
            redis = embedded_redis.start(settings.home)
            stack.callback(redis.stop)
            settings = settings.model_copy(update={"redis_url": redis.url})
        meanwhile()
        if sandbox is not None:
            _await_ready(sandbox, settings.home / SANDBOX_LOG)
        yield settings


def webhook_url(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}/webhooks/stripe"


def prepare(home: Path) -> None:
    """Makes the state folder. Raises `ConfigurationError` when it cannot be written."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"The state folder {home} cannot be written ({error.strerror}). Set COUNTERFOIL_HOME to one that can."
        ) from error


def refuse_taken(host: str, port: int, variable: str) -> None:
    """Raises `ConfigurationError` when somebody listens there already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"Port {port} on {host} cannot be used ({error.strerror}). Set {variable} to another one."
            ) from error


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Holds the state folder: two embedded Redis servers on one folder would shut each other down."""
    with (home / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigurationError(
                f"The state folder {home} is in use already. Stop the other server, or set COUNTERFOIL_HOME."
            ) from error
        yield


def _with_webhook_secret(settings: Settings) -> Settings:
    if settings.webhook_secrets:
        return settings
    made = kept_secret(settings.home / "webhook_secret", f"whsec_{secrets.token_hex(24)}")
    return settings.model_copy(update={"stripe_webhook_secret": SecretStr(made.decode())})


@contextlib.contextmanager
def _sandbox(settings: Settings, *, webhooks: bool) -> Iterator["subprocess.Popen[bytes]"]:
    refuse_taken("127.0.0.1", settings.stripe_sandbox_port, "STRIPE_SANDBOX_PORT")
    refuse_taken("127.0.0.1", settings.smtp_sandbox_port, "SMTP_SANDBOX_PORT")
    ports = ["--port", str(settings.stripe_sandbox_port), "--smtp-port", str(settings.smtp_sandbox_port)]
    state = ["--state", str(settings.home / "sandbox")]
    told = ["--webhook-url", webhook_url(settings)] if webhooks else []
    # By the environment: everybody on the machine can read a command line.
    environment = os.environ | ({"STRIPE_WEBHOOK_SECRET": settings.webhook_secrets[0]} if webhooks else {})
    with (settings.home / SANDBOX_LOG).open("ab") as log:
        child = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            [sys.executable, "-m", "sandbox", *ports, *state, *told, "--watch-stdin"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield child
    finally:
        _end(child)


def _await_ready(child: "subprocess.Popen[bytes]", log: Path) -> None:
    line = child.stdout.readline() if child.stdout else b""
    if not line.startswith(b"ready "):
        raise ConfigurationError(f"The simulated Stripe did not start. See {log}.")
    json.loads(line.removeprefix(b"ready "))


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Ends the child by closing its standard input, then by asking, then by force."""
    for pipe in (child.stdin, child.stdout):
        if pipe:
            pipe.close()
    for ask in (None, child.terminate, child.kill):
        if ask is not None:
            ask()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=3)
            return
