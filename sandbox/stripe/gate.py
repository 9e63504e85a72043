"""One request's way through Stripe: fault, key, parameters, idempotency, handler, expansion, answer."""

import asyncio
import base64
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.stripe import API_VERSION, brackets, idempotency, mischief
from sandbox.stripe.brackets import Tree
from sandbox.stripe.delivery import Delivery
from sandbox.stripe.errors import Json, StripeFailure, ValidationFailure
from sandbox.stripe.expansion import Expansion, check_depth
from sandbox.stripe.faults import Fault, Faults
from sandbox.stripe.limits import Limits, limited
from sandbox.stripe.mischief import MISCHIEF
from sandbox.stripe.params import coerce
from sandbox.stripe.resource import EVERYWHERE, Call, Registry, Route
from sandbox.stripe.resources.frozen import on_time_of
from sandbox.stripe.timeline import run_due
from sandbox.stripe.world import World

log = logging.getLogger("sandbox.stripe")
TEST_KEY = re.compile(r"(sk|rk)_test_\w+")
CAUSED = "sandbox.events"
"""Where a request's scope holds the events to tell webhooks of, once it has been answered."""
FORM = "application/x-www-form-urlencoded"


class Gate:
    """Holds what every request needs. Handlers run without awaiting, so each is atomic."""

    def __init__(self, world: World, registry: Registry, faults: Faults, delivery: Delivery, limits: Limits) -> None:
        self.world = world
        self.registry = registry
        self.faults = faults
        self.delivery, self.limits = delivery, limits

    def endpoint(self, route: Route) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            request_id = f"req_{secrets.token_hex(7)}"
            # Read first: who meets a fault is also who comes first to what it asks for.
            await request.body()
            if reason := self.limits.exceeded(route.method + route.path):
                return limited(reason, request_id)
            fault = self.faults.take(request.method, request.url.path)
            if fault and not fault.after_commit:
                return await fault.answer(request, request_id)
            try:
                return await self._serve(route, request, request_id, fault)
            except StripeFailure as failure:
                return self._respond(request, failure.status, failure.body(request_id), request_id)

        return endpoint

    async def unknown(self, request: Request) -> Response:
        """Any other address under /v1."""
        path = f"{request.method}: {request.url.path}"
        message = (
            f"Unrecognized request URL ({path}). Please see https://stripe.com/docs or we can help at "
            "https://support.stripe.com/."
        )

        def refuse(_call: Call) -> Json:
            raise StripeFailure(message, status=404)

        return await self.endpoint(Route(request.method, request.url.path, refuse))(request)

    def let_time_pass(self) -> None:
        """What falls due by the clock happens, and is told, without a request too."""
        run_due(self.world)
        if events := self.world.take_outbox():
            self.delivery.address(events)
            self.world.commit()
            self.delivery.release(events)

    async def _serve(self, route: Route, request: Request, request_id: str, fault: Fault | None) -> Response:
        check_key(request.headers.get("authorization", ""))
        check_version(request.headers.get("stripe-version", API_VERSION))
        tree = await read_tree(request)
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        if key and (known := idempotency.begin(self.world, key, request.url.path, tree)):
            if fault and fault.kind in MISCHIEF:
                self.faults.give_back(fault)
            return self._respond(request, known["status"], known["body"], request_id, replays=known["request_id"])
        try:
            if fault and fault.kind == "slow":
                await asyncio.sleep(fault.seconds or 0)
            status, body = self._run(route, request, tree, request_id, fault)
        except BaseException:
            if key:
                idempotency.forget(self.world, key)
            raise
        if key:
            kept = (500, fault.failure().body(request_id)) if fault and fault.remembered else (status, body)
            idempotency.finish(self.world, key, *kept, request_id)
        events = self.world.take_outbox()
        self.delivery.address(events)
        self.world.commit()
        events = await self.delivery.release_early(events)
        if fault and not fault.honest:
            # The caller may be kept waiting for an hour; the request itself is over.
            self.delivery.release(events)
            return await fault.answer(request, request_id, body)
        request.scope[CAUSED] = events
        return self._respond(request, status, body, request_id)

    def _run(
        self, route: Route, request: Request, tree: Tree, request_id: str, fault: Fault | None
    ) -> tuple[int, Json]:
        """Refusals of the handler are answers like any other; refused parameters never ran."""
        params = coerce(tree, route.fields | EVERYWHERE)
        paths = params.pop("expand", None) or []
        check_depth(paths)
        self.world.request_key, self.world.request_id = request.headers.get("idempotency-key"), request_id
        try:
            run_due(self.world)
            world = self._seen(fault)
            call = Call(world, params, request.url.path, request.path_params)
            with on_time_of(world, call), self._mischief(fault, params), self.world.whole(unless=is_decline):
                thing = route.handler(call)
                answer = self.registry.show(world, thing)
                for each in paths:
                    Expansion(self.registry, world, each).apply(answer)
        except ValidationFailure:
            raise
        except StripeFailure as failure:
            return failure.status, failure.body(request_id)
        except Exception:
            log.exception("the sandbox itself failed at %s %s", request.method, request.url.path)
            own = StripeFailure("The sandbox itself failed; see its log.", status=500, kind="api_error")
            return 500, own.body(request_id)
        finally:
            self.world.request_key = self.world.request_id = None
        return 200, answer

    def _seen(self, fault: Fault | None) -> World:
        """The world that the handler is shown."""
        if fault is None or fault.kind != "stale":
            return self.world
        if fault.seconds is None:
            return self.world.one_change_ago()
        return self.world.as_of(self.world.clock.present() - int(fault.seconds))

    @contextmanager
    def _mischief(self, fault: Fault | None, params: Json) -> Iterator[None]:
        if fault is None or fault.kind not in MISCHIEF:
            yield
            return
        events = len(self.world.outbox)
        try:
            with mischief.at_work(self.world, fault, params):
                yield
        finally:
            if not mischief.happened(fault.kind, self.world.outbox[events:]):
                self.faults.give_back(fault)

    @staticmethod
    def _respond(request: Request, status: int, body: Json, request_id: str, replays: str | None = None) -> Response:
        headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION}
        if key := request.headers.get("idempotency-key"):
            headers["Idempotency-Key"] = key
        if replays:
            headers |= {"Idempotent-Replayed": "true", "Original-Request": replays}
        return JSONResponse(body, status, headers)


def is_decline(failure: Exception) -> bool:
    """A declined card is an answer of the bank: the attempt stays on record. Of no other refusal is anything left."""
    return isinstance(failure, StripeFailure) and failure.kind == "card_error"


def check_key(authorization: str) -> None:
    """Test keys only; a live key is told that this is no place for it."""
    scheme, _, credential = authorization.partition(" ")
    key = _basic_user(credential) if scheme.lower() == "basic" else credential.strip()
    if not key:
        message = (
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
        raise StripeFailure(message, status=401)
    if not TEST_KEY.fullmatch(key):
        live = " This is the sandbox: it takes test keys only." if "_live_" in key else ""
        raise StripeFailure(f"Invalid API Key provided: {key[:8]}{'*' * 8}{key[-4:]}.{live}", status=401)


def _basic_user(credential: str) -> str:
    try:
        return base64.b64decode(credential, validate=True).decode().partition(":")[0]
    except ValueError:
        return ""


def check_version(version: str) -> None:
    if version != API_VERSION:
        message = f"Invalid Stripe API version: {version}. The sandbox speaks {API_VERSION}."
        raise StripeFailure(message)


async def read_tree(request: Request) -> Tree:
    """Parameters come in the query of a GET or DELETE and in the form of a POST."""
    if request.method != "POST":
        return brackets.parse(request.url.query)
    body = await request.body()
    if body and not request.headers.get("content-type", "").startswith(FORM):
        raise ValidationFailure(f"Invalid request (check that your POST content type is {FORM}).")
    return brackets.parse(body.decode(errors="replace"))
