"""`/_sandbox`: what only the world outside Stripe can do. Banks, clocks, faults, and starting again."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.mail import Inbox, Mail
from sandbox.stripe import hosted
from sandbox.stripe.delivery import Delivery
from sandbox.stripe.delivery_admin import Hooks
from sandbox.stripe.errors import Json, StripeFailure
from sandbox.stripe.faults import Faults
from sandbox.stripe.gate import CAUSED
from sandbox.stripe.limits import Limits
from sandbox.stripe.requests import answered, json_body
from sandbox.stripe.resources import REGISTRY, disputes, refunds
from sandbox.stripe.timeline import run_due
from sandbox.stripe.world import World

Action = Callable[[Json], Json]
Seeds = Mapping[str, Callable[[World], None]]
MOST_SECONDS = 400 * 86_400
LONGEST_LAG_SECONDS = 3600
MOST_SNAPSHOTS = 16


class Admin:
    def __init__(
        self, world: World, inbox: Inbox, faults: Faults, seeds: Seeds, *, delivery: Delivery, limits: Limits
    ) -> None:
        self.world, self.inbox, self.faults, self.seeds = world, inbox, faults, seeds
        self.delivery, self.limits = delivery, limits
        self._snapshots: dict[str, tuple[Faults, dict[str, list[Mail]]]] = {}

    def routes(self) -> list[Route]:
        post = {
            "reset": self.reset,
            "seed": self.seed,
            "snapshot": self.snapshot,
            "restore": self.restore,
            "search": self.lag,
            "limits": self.limit,
            "faults": self.add_fault,
            "clock": self.advance,
            "disputes": self.dispute,
            "refunds": self.settle,
        }
        return [
            *(Route(f"/_sandbox/{name}", self._json(action), methods=["POST"]) for name, action in post.items()),
            Route("/_sandbox/faults", self._faults, methods=["GET", "DELETE"]),
            *Hooks(self.world, self.delivery).routes(),
            Route("/_sandbox/inbox", self._inbox, methods=["GET", "DELETE"]),
            *hosted.routes(self.world, self._conclude),
            Route("/_sandbox/health", _healthy),
        ]

    def reset(self, _body: Json) -> Json:
        self.world.clear()
        self.inbox.clear()
        self.faults.clear()
        self.limits.clear()
        self.delivery.forget()
        return {"reset": True}

    def seed(self, body: Json) -> Json:
        name = body.get("name", "demo")
        if name not in self.seeds:
            raise StripeFailure(f"No such seed: '{name}'", param="name")
        self.seeds[name](self.world)
        self.world.commit()
        self.world.forget_changes()
        return {"seeded": name, "customers": len(self.world.all("customer"))}

    def snapshot(self, body: Json) -> Json:
        """`{"name"}`: a point to come back to, with faults, answers, clock and inbox; not what is on its way."""
        name = _name(body)
        if name not in self._snapshots and len(self._snapshots) >= MOST_SNAPSHOTS:
            raise StripeFailure(f"There are {MOST_SNAPSHOTS} snapshots already.", param="name")
        self.world.remember(name)
        mails = {recipient: list(mails) for recipient, mails in self.inbox.mails.items()}
        self._snapshots[name] = self.faults.remembered(), mails
        return {"snapshot": name}

    def restore(self, body: Json) -> Json:
        name = _name(body)
        if name not in self._snapshots:
            raise StripeFailure(f"No such snapshot: '{name}'", status=404, param="name")
        faults, mails = self._snapshots[name]
        self.delivery.forget()
        self.limits.clear()
        self.faults.go_back(faults)
        self.inbox.replace({recipient: list(each) for recipient, each in mails.items()})
        self.world.go_back(name)
        return {"restored": name}

    def lag(self, body: Json) -> Json:
        """`{"lag": 5}`: search knows of a change so many seconds after it, by the sandbox's clock."""
        lag = body.get("lag")
        if not isinstance(lag, int) or isinstance(lag, bool) or not 0 <= lag <= LONGEST_LAG_SECONDS:
            raise StripeFailure(f"lag takes whole seconds, 0 to {LONGEST_LAG_SECONDS}", param="lag")
        self.world.search_lag = lag
        return {"lag": lag}

    def limit(self, body: Json) -> Json:
        """`{"per_second": 25, "per_endpoint": 25}`: Stripe's rate limits; null, or nothing, turns one off."""
        try:
            self.limits.set(**body)
        except (TypeError, ValueError) as failure:
            raise StripeFailure(f"Not a limit: {failure}") from failure
        return body

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

    def _json(self, action: Action) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Json:
            answer = action(await json_body(request))
            self._conclude(request)
            return answer

        return answered(endpoint)

    def _conclude(self, request: Request) -> None:
        """What the request did is kept now; webhooks hear of it when it has been answered."""
        request.scope[CAUSED] = events = self.world.take_outbox()
        self.delivery.address(events)
        self.world.commit()

    async def _faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.faults.clear()
        return JSONResponse({"faults": self.faults.described()})

    async def _inbox(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.inbox.clear()
        return JSONResponse(self.inbox.of(request.query_params.get("email", "")))


def _name(body: Json) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise StripeFailure("name is a text.", param="name")
    return name


async def _healthy(_request: Request) -> Response:
    return JSONResponse({"ok": True})
