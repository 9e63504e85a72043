"""`/_sandbox/webhooks`: what was delivered, deliver again, wait until all is."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.stripe.delivery import Delivery
from sandbox.stripe.errors import Json, StripeFailure
from sandbox.stripe.requests import answered, json_body
from sandbox.stripe.resources.webhook_endpoints import wants
from sandbox.stripe.world import World

LONGEST_FLUSH_SECONDS = 60


class Hooks:
    def __init__(self, world: World, delivery: Delivery) -> None:
        self.world, self.delivery = world, delivery

    def routes(self) -> list[Route]:
        return [
            Route("/_sandbox/webhooks", self._attempts, methods=["GET"]),
            Route("/_sandbox/webhooks", answered(self._pace), methods=["POST"]),
            Route("/_sandbox/webhooks/redeliver", answered(self._redeliver), methods=["POST"]),
            Route("/_sandbox/webhooks/flush", answered(self._flush), methods=["POST"]),
        ]

    async def _attempts(self, _request: Request) -> Response:
        """Every attempt, oldest first: `event`, `type`, `endpoint`, `attempt`, `status`, `fault`, `at`."""
        return JSONResponse({"pending": self.delivery.pending, "attempts": list(self.delivery.attempts)})

    async def _pace(self, request: Request) -> Json:
        """`{"retry_after": [seconds, ...], "timeout": seconds}`, both optional, until the next reset."""
        body = await json_body(request)
        delays, timeout = body.get("retry_after", self.delivery.retry_after), body.get("timeout", self.delivery.timeout)
        if not isinstance(delays, list | tuple) or not all(_seconds(each) for each in delays):
            raise StripeFailure("retry_after is a list of seconds.", param="retry_after")
        if not _seconds(timeout) or not timeout:
            raise StripeFailure("timeout is in seconds.", param="timeout")
        self.delivery.retry_after, self.delivery.timeout = delays, timeout
        return {"retry_after": list(delays), "timeout": timeout}

    async def _redeliver(self, request: Request) -> Json:
        """`{"event", "endpoint"?}`: once more to that endpoint, or to every one that wants it."""
        body = await json_body(request)
        event = self.world.get("event", str(body.get("event")), param="event")
        if "endpoint" in body:
            chosen = [self.world.get("webhook_endpoint", str(body["endpoint"]), param="endpoint")]
        else:
            chosen = [each for each in self.world.all("webhook_endpoint") if wants(each, event["type"])]
        for endpoint in chosen:
            self.delivery.send(event, endpoint["id"])
        return {"event": event["id"], "endpoints": [each["id"] for each in chosen]}

    async def _flush(self, request: Request) -> Json:
        """`{"seconds": 10}`: waits until nothing is on its way, so long at most; says how much still is."""
        seconds = (await json_body(request)).get("seconds", 10)
        if not _seconds(seconds) or seconds > LONGEST_FLUSH_SECONDS:
            raise StripeFailure(f"seconds must be 0 to {LONGEST_FLUSH_SECONDS}", param="seconds")
        return {"pending": await self.delivery.flush(seconds)}


def _seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
