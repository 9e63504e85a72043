"""Leaves behind what this release would, for all later ones to be tested with: `make golden RELEASE=0.2.0`.

Once for each release, right before it is tagged. What is there is never made anew: that is the point of it.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"  # read by LangGraph at import, as the console script sets it

import httpx
import redis

from server.threads import open_thread, say
from tests.chaos.life import ANYBODY, CODE, THEM, YES, Place
from tests.fixtures.redis import any_binary, running_server
from tests.golden.release import Names, Release, lay_key, server
from tools.knowledge.minilm import MiniLM
from tools.nlu.local import LocalUnderstander
from tools.nlu.types import Understander


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("release", help="its version, such as 0.2.0")
    release = Release(arguments.parse_args().release)
    if release.folder.exists():
        raise SystemExit(f"{release.name} has left something behind already, and that stays as it is.")
    with (
        tempfile.TemporaryDirectory(prefix="counterfoil-golden-") as folder,
        running_server(any_binary(), Path(folder)) as redis_url,
        _outside() as where,
    ):
        home = Path(folder) / "home"
        home.mkdir()
        lay_key(home)
        place = Place(
            home=str(home),
            redis_url=redis_url,
            database_url=f"sqlite:///{home / 'ledger.db'}",
            stripe_url=where["stripe"],
            smtp_port=where["smtp"],
        )
        state = Path(os.environ.get("COUNTERFOIL_HOME", ".counterfoil"))
        understander = LocalUnderstander.load(state / "models", MiniLM.load())
        names = asyncio.run(_lived(place, understander))
        release.keep(home, redis.Redis.from_url(redis_url), names)
    print(f"{release.folder}: {sum(file.stat().st_size for file in release.folder.iterdir()):,} bytes")  # noqa: T201


@contextmanager
def _outside() -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--smtp-port", "0", "--watch-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield json.loads(process.stdout.readline().removeprefix("ready "))
        process.communicate()


async def _lived(place: Place, understander: Understander) -> Names:
    async with server(place, understander) as services:

        async def talk(*texts: str) -> str:
            thread = await open_thread(services, ANYBODY)
            for text in texts:
                words = text if text != CODE.pattern else await _code(place)
                run = await say(services, thread, words, str(uuid4()), by=THEM)
                while run.id in {left.id for left in await services.ledger.unfinished_runs()}:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            return thread.id

        asked = await talk("I was charged twice this month")
        person = await talk("hello", "I want to talk to a human please")
        wish = "I'd like a refund for the annual plan I bought last week"
        waiting = await talk(wish, "grace@example.com", CODE.pattern, YES)
        [case] = await services.ledger.actions(thread=waiting)
        assert case.state == "awaiting_approval", case.state
        assert await services.ledger.ticket_of(person)
        made = datetime.now(UTC).isoformat()
        return Names(made=made, asked=asked, person=person, waiting=waiting, case=case.id, digest=case.digest)


async def _code(place: Place) -> str:
    async with httpx.AsyncClient(base_url=place.stripe_url) as http:
        mails = (await http.get("/_sandbox/inbox", params={"email": "grace@example.com"})).json()
    return str(CODE.findall(mails[-1]["text"])[0])


if __name__ == "__main__":
    main()
