"""How the SDK's requests travel: over one pool of connections, with a limit on every wait."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import stripe

from tools.calls import StripeCall, note


class HttpxTransport(stripe.HTTPClient):
    """The SDK's own httpx client passes bodies in a way that httpx has deprecated."""

    name = "httpx"

    def __init__(self, *, seconds: float) -> None:
        super().__init__()
        self._http = httpx.AsyncClient(timeout=seconds)

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        answer: httpx.Response | None = None
        try:
            answer = await self._http.request(method, url, headers=dict(headers), content=post_data)
        except httpx.HTTPError as error:
            raise _no_answer(error) from error
        finally:
            note(_noted(method, url, headers, answer))
        return answer.content, answer.status_code, answer.headers

    async def close_async(self) -> None:
        await self._http.aclose()


def _noted(method: str, url: str, headers: Mapping[str, str], answer: httpx.Response | None) -> StripeCall:
    """Without the query: a look-up names an e-mail address there."""
    return StripeCall(
        method=method.upper(),
        path=urlsplit(url).path,
        status=answer.status_code if answer is not None else None,
        request=answer.headers.get("request-id") if answer is not None else None,
        key=headers.get("Idempotency-Key"),
    )


def _no_answer(error: httpx.HTTPError) -> stripe.APIConnectionError:
    return stripe.APIConnectionError(f"no answer: {type(error).__name__}")  # type: ignore[no-untyped-call]  # theirs
