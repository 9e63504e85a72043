"""`/_sandbox`: what only the world outside Stripe can do. Banks, clocks, faults, and starting again."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.mail import Inbox
from sandbox.stripe import hosted
from sandbox.stripe.delivery import Delivery
from sandbox.stripe.delivery_admin import Hooks
from sandbox.stripe.errors import Json, StripeFailure
from sandbox.stripe.faults import Faults
from sandbox.stripe.gate import CAUSED
from sandbox.stripe.requests import answered, json_body
from sandbox.stripe.resources import REGISTRY, disputes, refunds
from sandbox.stripe.timeline import run_due
from sandbox.stripe.world import World

Action = Callable[[Json], Json]
Seeds = Mapping[str, Callable[[World], None]]
MOST_SECONDS = 400 * 86_400


class Admin:
    def __init__(self, world: World, inbox: Inbox, faults: Faults, seeds: Seeds, delivery: Delivery) -> None:
        self.world, self.inbox, self.faults, self.seeds = world, inbox, faults, seeds
        self.delivery = delivery

    def routes(self) -> list[Route]:
        post = {
            "reset": self.reset,
            "seed": self.seed,
            "faults": self.add_fault,
            "clock": self.advance,
            "disputes": self.dispute,
            "refunds": self.settle,
        }
        return [
            *(
                Route(f"/_sandbox/{name}", _json(action, self.world, self.delivery), methods=["POST"])
                for name, action in post.items()
            ),
            Route("/_sandbox/faults", self._faults, methods=["GET", "DELETE"]),
            *Hooks(self.world, self.delivery).routes(),
            Route("/_sandbox/inbox", self._inbox, methods=["GET", "DELETE"]),
            *hosted.routes(self.world),
            Route("/_sandbox/health", _healthy),
        ]

    def reset(self, _body: Json) -> Json:
        self.world.clear()
        self.inbox.clear()
        self.faults.clear()
        self.delivery.forget()
        return {"reset": True}

    def seed(self, body: Json) -> Json:
        name = body.get("name", "demo")
        if name not in self.seeds:
            raise StripeFailure(f"No such seed: '{name}'", param="name")
        self.seeds[name](self.world)
        # The past is no news.
        self.world.outbox.clear()
        return {"seeded": name, "customers": len(self.world.all("customer"))}

    def add_fault(self, body: Json) -> Json:
        try:
            self.faults.add(**body)
        except (TypeError, ValueError) as failure:
            raise StripeFailure(f"Not a fault: {failure}") from failure
        return {"faults": self.faults.described()}

    def advance(self, body: Json) -> Json:
        """Moves the sandbox's clock on; what falls due by then happens."""
        seconds = body.get("advance")
        if not isinstance(seconds, int) or not 0 <= seconds <= MOST_SECONDS:
            raise StripeFailure(f"advance takes whole seconds, 0 to {MOST_SECONDS}", param="advance")
        self.world.clock.offset += seconds
        run_due(self.world)
        return {"now": self.world.now()}

    def dispute(self, body: Json) -> Json:
        """`{"charge", "status"?, "reason"?}` opens one; `{"dispute", "status"}` moves it on."""
        status = body.get("status", "needs_response")
        if status not in disputes.STATUSES:
            raise StripeFailure(f"status must be one of {', '.join(disputes.STATUSES)}", param="status")
        if "dispute" in body:
            found = self.world.get("dispute", str(body["dispute"]), param="dispute")
            return REGISTRY.show(self.world, disputes.move_dispute(self.world, found, status))
        charge = self.world.get("charge", str(body.get("charge")), param="charge")
        opened = disputes.open_dispute(self.world, charge, status=status, reason=body.get("reason", "fraudulent"))
        return REGISTRY.show(self.world, opened)

    def settle(self, body: Json) -> Json:
        """`{"refund", "status": "succeeded" | "failed", "failure_reason"?}`: the bank's word on a refund."""
        found = self.world.get("refund", str(body.get("refund")), param="refund")
        reason = body.get("failure_reason", "unknown")
        if body.get("status") not in {"succeeded", "failed"} or reason not in refunds.FAILURES:
            raise StripeFailure("status is succeeded or failed, failure_reason is one of Stripe's", param="status")
        return REGISTRY.show(self.world, refunds.settle(self.world, found, body["status"], reason))

    async def _faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.faults.clear()
        return JSONResponse({"faults": self.faults.described()})

    async def _inbox(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.inbox.clear()
        return JSONResponse(self.inbox.of(request.query_params.get("email", "")))


def _json(action: Action, world: World, delivery: Delivery) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Json:
        answer = action(await json_body(request))
        events = world.take_outbox()
        delivery.address(events)
        world.on_change()
        request.scope[CAUSED] = events
        return answer

    return answered(endpoint)


async def _healthy(_request: Request) -> Response:
    return JSONResponse({"ok": True})
