"""`python -m sandbox`: simulated Stripe, mail and language model in one process, on loopback only."""

import argparse
import asyncio
import contextlib
import functools
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from sandbox.mail import Inbox, smtp
from sandbox.model.app import ScriptedModel
from sandbox.seed import SEEDS
from sandbox.stripe.app import create_app
from sandbox.stripe.errors import StripeFailure
from sandbox.stripe.gate import Gate
from sandbox.stripe.resources import new_world
from sandbox.stripe.resources.webhook_endpoints import register
from sandbox.stripe.store import UNREADABLE, Store
from sandbox.stripe.world import World

HOST = "127.0.0.1"
CANNOT_START = 2


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="sandbox", description="Simulated Stripe, mail and language model, for demo and tests."
    )
    parser.add_argument("--port", type=int, default=12111, help="Stripe's port; 0 picks a free one")
    parser.add_argument("--smtp-port", type=int, default=12125, help="the mail server's port; 0 picks a free one")
    parser.add_argument("--state", type=Path, help="folder that keeps the state over restarts")
    parser.add_argument("--seed", choices=[*SEEDS, "none"], default="demo", help="what a fresh state begins with")
    parser.add_argument("--webhook-url", help="where events go: an http address on this machine")
    parser.add_argument(
        "--webhook-secret",
        default=os.environ.get("STRIPE_WEBHOOK_SECRET"),
        help="signs them; STRIPE_WEBHOOK_SECRET unless given",
    )
    parser.add_argument("--watch-stdin", action="store_true", help="quit when stdin ends")
    options = parser.parse_args()
    if options.webhook_url and not options.webhook_secret:
        parser.error("--webhook-url needs --webhook-secret, or STRIPE_WEBHOOK_SECRET in the environment")
    return options


def listen(port: int, name: str) -> socket.socket:
    """A bound loopback socket, or one clear line and exit code 2."""
    # asyncio turns Nagle's delay off only where the protocol is named; without that each answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except (OSError, OverflowError) as failure:
        listener.close()
        sys.stderr.write(f"sandbox: the {name} port {HOST}:{port} cannot be used: {failure}\n")
        raise SystemExit(CANNOT_START) from None
    return listener


def remember(folder: Path, world: World, inbox: Inbox) -> tuple[Store, bool]:
    """Loads what the folder knows, and keeps it from now on. True when it knew something."""
    store = Store(folder, world, inbox)
    try:
        known = store.open()
    except UNREADABLE as failure:
        file = store.file if store.file.exists() else store.old
        sys.stderr.write(f"sandbox: {file} cannot be read ({failure}); move it away to start afresh\n")
        raise SystemExit(CANNOT_START) from None
    return store, known


class Server(uvicorn.Server):
    """Leaves signals to us (uvicorn raises them again at its end) and says when it listens."""

    def __init__(self, config: uvicorn.Config, ready: str) -> None:
        super().__init__(config)
        self.ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write(f"{self.ready}\n")
        sys.stdout.flush()

    def stop(self) -> None:
        self.should_exit = True


async def serve(options: argparse.Namespace) -> None:
    with listen(options.port, "Stripe") as stripe, listen(options.smtp_port, "mail") as mail:
        url = f"http://{HOST}:{stripe.getsockname()[1]}"
        world, inbox = new_world(base_url=url), Inbox()
        store, known = remember(options.state, world, inbox) if options.state else (None, False)
        if not known and options.seed != "none":
            SEEDS[options.seed](world)
        world.commit()
        world.forget_changes()
        if options.webhook_url:
            listen_for_events(world, options.webhook_url, options.webhook_secret)
        app = create_app(world, inbox, SEEDS)
        app.routes.extend(ScriptedModel().routes())
        server = Server(
            uvicorn.Config(
                app,
                # httptools where it is installed: half of the time of h11.
                http="auto",
                loop="asyncio",
                lifespan="off",
                log_level="error",
                access_log=False,
                timeout_graceful_shutdown=1,
            ),
            ready=f"ready {json.dumps({'stripe': url, 'smtp': mail.getsockname()[1]})}",
        )
        stop_when_told(server, watch_stdin=options.watch_stdin)
        gate: Gate = app.state.gate
        gate.delivery.resume()
        pulse = asyncio.create_task(beat(gate))
        async with await asyncio.get_running_loop().create_server(functools.partial(smtp, inbox), sock=mail):
            await server.serve([stripe])
        pulse.cancel()
        gate.delivery.forget()
        world.commit()
        if store:
            store.close()


def listen_for_events(world: World, url: str, secret: str) -> None:
    try:
        register(world, url, secret)
    except StripeFailure as failure:
        sys.stderr.write(f"sandbox: --webhook-url: {failure}\n")
        raise SystemExit(CANNOT_START) from None


async def beat(gate: Gate) -> None:
    """Once a second, what is due happens."""
    while True:
        await asyncio.sleep(1)
        gate.let_time_pass()


def stop_when_told(server: Server, *, watch_stdin: bool) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    if watch_stdin:
        threading.Thread(target=_stop_at_stdin_end, args=(loop, server), daemon=True).start()


def _stop_at_stdin_end(loop: asyncio.AbstractEventLoop, server: Server) -> None:
    """Whoever started us holds the other end of stdin; when that process ends, so do we."""
    # The bare descriptor: a thread that sleeps inside sys.stdin would abort the interpreter's exit.
    while os.read(0, 4096):
        pass
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(server.stop)


def main() -> None:
    asyncio.run(serve(arguments()))


if __name__ == "__main__":
    main()
