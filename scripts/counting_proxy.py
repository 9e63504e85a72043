"""A proxy before a server, for benches, that counts round trips."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class CountingProxy:
    """Passes bytes on, and counts how often the client speaks after the server did: a round trip each."""

    def __init__(self, url: str) -> None:
        self.where = urlsplit(url)
        self.trips = 0
        self.port = 0

    @classmethod
    @asynccontextmanager
    async def before(cls, url: str) -> AsyncIterator["CountingProxy"]:
        proxy = cls(url)
        server = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)
        proxy.port = server.sockets[0].getsockname()[1]
        yield proxy
        server.close()

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection(self.where.hostname, self.where.port)
        answered = True

        async def ask() -> None:
            nonlocal answered
            while data := await client.read(1 << 16):
                self.trips += answered
                answered = False
                to_server.write(data)
            to_server.close()

        async def answer() -> None:
            nonlocal answered
            while data := await server.read(1 << 16):
                answered = True
                to_client.write(data)
            to_client.close()

        await asyncio.gather(ask(), answer(), return_exceptions=True)
