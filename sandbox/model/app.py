"""The routes: OpenAI's under `/openai/v1`; under `/_sandbox/model` what scripts the model and shows its requests."""

import asyncio
import dataclasses
import json
from collections import deque
from collections.abc import AsyncIterator, Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route

from sandbox.model import wire
from sandbox.model.asked import Asked, Refusal
from sandbox.model.moods import Answer, Script, answer

REMEMBERED = 1000
MODELS = ("gpt-5-mini", "gpt-5")
PAGE = "<html><head><title>Sign in</title></head><body>This network asks you to sign in.</body></html>"


class ScriptedModel:
    def __init__(self) -> None:
        self.script = Script()
        self.requests: deque[Any] = deque(maxlen=REMEMBERED)

    def routes(self) -> list[BaseRoute]:
        api = [
            Route("/chat/completions", self._complete, methods=["POST"]),
            Route("/models", self._models),
        ]
        return [
            Mount("/openai/v1", routes=api),
            Route("/_sandbox/model", self._direct, methods=["GET", "POST", "DELETE"]),
            Route("/_sandbox/model/requests", self._received),
        ]

    async def _direct(self, request: Request) -> Response:
        """POST changes what it names of the script, DELETE goes back to the first one and forgets all requests."""
        if request.method == "DELETE":
            self.script = Script()
            self.requests.clear()
        if request.method == "POST":
            try:
                self.script = dataclasses.replace(self.script, **await request.json())
            except (TypeError, ValueError) as error:
                return JSONResponse(wire.failure(f"Not a script: {error}", 400), 400)
        return JSONResponse(dataclasses.asdict(self.script))

    async def _received(self, _request: Request) -> Response:
        return JSONResponse(list(self.requests))

    async def _models(self, _request: Request) -> Response:
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": "sandbox"} for name in MODELS]
        return JSONResponse({"object": "list", "data": listed})

    async def _complete(self, request: Request) -> Response:
        try:
            asked = await _read(request)
        except Refusal as refusal:
            return JSONResponse(wire.failure(str(refusal), refusal.status), refusal.status)
        again = any(before["messages"] == asked.messages[:-1] for before in self.requests)
        self.requests.append(asked.body)
        match self.script.mood:
            case "down":
                return JSONResponse(wire.failure("The server is overloaded.", 503), 503)
            case "proxy_page":
                return HTMLResponse(PAGE)
            case "slow":
                await asyncio.sleep(self.script.seconds)
        return _respond(request, asked, answer(self.script, asked, again=again))


def _respond(request: Request, asked: Asked, said: Answer) -> Response:
    lost = said.lost_after is not None
    if asked.streams:
        return StreamingResponse(_sent(request, wire.events(asked, said), lost=lost), media_type="text/event-stream")
    if not lost:
        return JSONResponse(wire.completion(asked, said))
    whole = json.dumps(wire.completion(asked, said)).encode()
    headers = {"Content-Length": str(len(whole))}
    pieces = [whole[: len(whole) // 2]]
    return StreamingResponse(_sent(request, pieces, lost=True), headers=headers, media_type="application/json")


async def _read(request: Request) -> Asked:
    if not request.headers.get("authorization", "").startswith("Bearer "):
        raise Refusal("You didn't provide an API key.", status=401)
    try:
        body = await request.json()
    except ValueError as error:
        raise Refusal("We could not parse the JSON body of your request.") from error
    if not isinstance(body, dict):
        raise Refusal("The JSON body of your request is no object.")
    return Asked(body)


async def _sent(request: Request, pieces: Iterable[bytes], *, lost: bool) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
        # Lets each token leave by itself.
        await asyncio.sleep(0)
    if lost:
        await _hang_up(request)


async def _hang_up(request: Request) -> None:
    """Closes the socket once what was written is out. Only uvicorn's request cycle knows the socket."""
    transport = getattr(getattr(request.receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("connection lost on request")
    transport.close()
    while (await request.receive())["type"] != "http.disconnect":
        continue
