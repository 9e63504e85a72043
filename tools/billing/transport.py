"""How the SDK's requests travel: over one pool of connections, with a limit on every wait."""

from collections.abc import Mapping
from typing import Any

import httpx
import stripe


class HttpxTransport(stripe.HTTPClient):
    """The SDK's own httpx client passes bodies in a way that httpx has deprecated."""

    name = "httpx"

    def __init__(self, *, seconds: float) -> None:
        super().__init__()
        self._http = httpx.AsyncClient(timeout=seconds)

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        try:
            answer = await self._http.request(method, url, headers=dict(headers), content=post_data)
        except httpx.HTTPError as error:
            raise _no_answer(error) from error
        return answer.content, answer.status_code, answer.headers

    async def close_async(self) -> None:
        await self._http.aclose()


def _no_answer(error: httpx.HTTPError) -> stripe.APIConnectionError:
    return stripe.APIConnectionError(f"no answer: {type(error).__name__}")  # type: ignore[no-untyped-call]  # theirs
