"""What `langgraph dev` opens beside the graphs: the same plugs that the server uses, for the life of the process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from graphs.plugs import open_plugs
from graphs.settings import Settings


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    async with open_plugs(Settings.read()):
        yield


app = Starlette(lifespan=lifespan)
