"""Leaves behind what this release would, for all later ones to be tested with: `make golden RELEASE=0.2.0`.

Once for each release, right before it is tagged. What is there is never made anew: that is the point of it.
"""

import argparse
import asyncio
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"  # read by LangGraph at import, as the console script sets it

import redis

from server.threads import open_thread
from tests.chaos.life import ANYBODY, YES, Place, code_for, turn, whole_server
from tests.fixtures.redis import any_binary, running_server
from tests.fixtures.sandbox import running_sandbox
from tests.golden.release import Names, Release, lay_key
from tools.knowledge.minilm import MiniLM
from tools.nlu.local import LocalUnderstander
from tools.nlu.types import Understander

GRACE = "grace@example.com"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("release", help="its version, such as 0.2.0")
    release = Release(arguments.parse_args().release)
    if release.folder.exists():
        raise SystemExit(f"{release.name} has left something behind already, and that stays as it is.")
    with (
        tempfile.TemporaryDirectory(prefix="counterfoil-golden-") as folder,
        running_server(any_binary(), Path(folder)) as redis_url,
        running_sandbox() as sandbox,
    ):
        sandbox.reset()
        home = Path(folder) / "home"
        home.mkdir()
        lay_key(home)
        place = Place(
            home=str(home),
            redis_url=redis_url,
            database_url=f"sqlite:///{home / 'ledger.db'}",
            stripe_url=sandbox.url,
            smtp_port=sandbox.smtp_port,
        )
        state = Path(os.environ.get("COUNTERFOIL_HOME", ".counterfoil"))
        understander = LocalUnderstander.load(state / "models", MiniLM.load())
        names = asyncio.run(_lived(place, understander))
        release.keep(home, redis.Redis.from_url(redis_url), names)
    print(f"{release.folder}: {sum(file.stat().st_size for file in release.folder.iterdir()):,} bytes")  # noqa: T201


async def _lived(place: Place, understander: Understander) -> Names:
    async with whole_server(place, understander) as services:

        async def talk(*texts: str) -> str:
            thread = (await open_thread(services, ANYBODY)).id
            for text in texts:
                await turn(services, thread, text)
            return thread

        asked = await talk("I was charged twice this month")
        person = await talk("hello", "I want to talk to a human please")
        waiting = await talk("I'd like a refund for the annual plan I bought last week", GRACE)
        await turn(services, waiting, await code_for(GRACE, place))
        await turn(services, waiting, YES)
        [case] = await services.ledger.actions(thread=waiting)
        assert case.state == "awaiting_approval", case.state
        assert await services.ledger.ticket_of(person)
        made = datetime.now(UTC).isoformat()
        return Names(made=made, asked=asked, person=person, waiting=waiting, case=case.id, digest=case.digest)


if __name__ == "__main__":
    main()
