"""Processes by the dozen: everything is imported once, and each order is carried out by a fork of that.

The server itself opens nothing, starts no thread and no event loop, so that what it forks is as good as new.
Orders and results are lines of JSON; what a process logs goes to stderr.
"""

import asyncio
import contextlib
import faulthandler
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from tests.chaos.points import ROOT

Json = dict[str, Any]
LONGEST_SECONDS, HUNG = 100, 75
ENVIRONMENT = {
    "LANGGRAPH_STRICT_MSGPACK": "true",
    "LANGSMITH_TRACING": "false",
    # Threads of a library do not survive a fork.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # Nobody is talked to but this machine, so nobody's certificate has to be known: reading them all takes its time.
    "SSL_CERT_DIR": "/var/empty",
}


class Forks:
    """The other end, for tests."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process, self._log = process, log

    def ask(self, verb: str, place: Any, **order: Any) -> tuple[int, Json | None]:
        """Exit code of the process that did it, and what it found."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"verb": verb, "place": asdict(place), **order}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the fork server is gone: {self.log()}"
        code, result = json.loads(line)
        return code, result

    def do(self, verb: str, place: Any, **order: Any) -> Json:
        """For what has to come to a good end."""
        code, result = self.ask(verb, place, **order)
        assert (0, True) == (code, result is not None), f"{verb} ended with {code}: {self.log()}"
        assert result is not None
        return result

    def log(self) -> str:
        return self._log.read_text()[-4000:]


@contextmanager
def forking(home: Path, folder: Path) -> Iterator[Forks]:
    log = folder / "forks.log"
    command = [sys.executable, "-m", "tests.chaos.forks", str(home)]
    environment = {name: value for name, value in os.environ.items() if name != "SSL_CERT_FILE"} | ENVIRONMENT
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=ROOT, env=environment
        ) as process,
    ):
        assert process.stdout
        assert process.stdout.readline() == "ready\n", log.read_text()
        yield Forks(process, log)
        process.communicate(timeout=LONGEST_SECONDS)


def main() -> None:
    verbs = _load(Path(sys.argv[1]))
    gc.collect()
    gc.freeze()
    print("ready", flush=True)  # noqa: T201 - the protocol
    for line in sys.stdin:
        code, result, modules = _carried_out(verbs, json.loads(line))
        _import(modules)
        print(json.dumps([code, result]), flush=True)  # noqa: T201


Verb = Callable[..., Coroutine[Any, Any, Json]]


def _load(home: Path) -> dict[str, Verb]:
    import logging  # noqa: PLC0415 - all of it here: whoever talks to this module does not need it
    from functools import partial  # noqa: PLC0415

    import structlog  # noqa: PLC0415

    from prompts.registry import load as load_prompts  # noqa: PLC0415
    from tests.chaos import life  # noqa: PLC0415
    from tools.knowledge.minilm import MiniLM  # noqa: PLC0415
    from tools.nlu.local import LocalUnderstander  # noqa: PLC0415

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    load_prompts()
    understander = LocalUnderstander.load(home / "models", MiniLM.load())

    def verb(does: Verb) -> Verb:
        return partial(_placed, does, life.Place, understander)

    return {name: verb(getattr(life, name)) for name in ("propose", "agree", "intents", "come_back")}


async def _placed(does: Verb, place_of: Callable[..., Any], understander: Any, *, place: Json, **order: Any) -> Json:
    return await does(place_of(**place), understander, **order)


def _import(modules: list[str]) -> None:
    """What one fork had to import, the next one finds there: some imports happen at first use."""
    for name in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    assert threading.active_count() == 1, threading.enumerate()


def _carried_out(verbs: dict[str, Verb], order: Json) -> tuple[int, Json | None, list[str]]:
    """Exit code, what was found, and modules that are missing here."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _live(verbs[order.pop("verb")], order, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    result, modules = json.loads(said) if said else (None, [])
    return code, result, [name for name in modules if name not in sys.modules]


def _hangs(*_: object) -> None:
    """Says what everything waits for, and ends the process."""
    faulthandler.dump_traceback()
    loop = asyncio.get_event_loop_policy().get_event_loop()
    for task in asyncio.all_tasks(loop):
        task.print_stack(limit=12)
    sys.stderr.flush()
    os._exit(HUNG)


def _live(verb: Verb, order: Json, writing: int) -> None:
    """Never returns: this process ends here, in one way or another."""
    signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(LONGEST_SECONDS)

    def deed() -> None:
        result = asyncio.run(verb(**order))
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(json.dumps([result, list(sys.modules)]).encode())

    end_with(deed)


def end_with(deed: Callable[[], None]) -> NoReturn:
    """A fork's life: what it says goes to the log, and when it has done what it is for, or failed, it is over."""
    os.dup2(2, 1)
    code = 1
    try:
        deed()
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it was, this is a fork and must not go on as its parent
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
