"""Processes by the hundred: everything is imported once, and each server and worker is a fork of that.

A line in is an order, a line out the id of the process that carries it out. When the input ends, they all do.
"""

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from tests.chaos.forks import ENVIRONMENT, end_with
from tests.chaos.points import ROOT


class Nursery:
    """The other end, for tests."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process, self.log = process, log

    def born(self, **order: Any) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def nursery(folder: Path) -> Iterator[Nursery]:
    log = folder / "processes.log"
    environment = {name: value for name, value in os.environ.items() if name != "SSL_CERT_FILE"} | ENVIRONMENT
    with (
        log.open("w") as said,
        subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.talks.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            cwd=ROOT,
            env=environment,
        ) as process,
    ):
        assert process.stdout
        assert process.stdout.readline() == "ready\n", log.read_text()
        yield Nursery(process, log)


def main() -> None:
    from tests.chaos.talks.process import live  # noqa: PLC0415 - the other end does not need it

    gc.collect()
    gc.freeze()
    children = []
    print("ready", flush=True)  # noqa: T201 - the protocol
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _live(live, json.loads(line))
        children.append(child)
        print(child, flush=True)  # noqa: T201
    # Nobody waited for any of them until now, so that no other process got the id of one that ended by itself.
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _live(live: Any, order: dict[str, Any]) -> NoReturn:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    end_with(lambda: live(**order))


if __name__ == "__main__":
    main()
