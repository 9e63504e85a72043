"""What the routes are given, and of it what a worker has too: built once, closed in reverse."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast

import httpx
from fastapi import Depends, Request

from graphs.plugs import Plugs
from graphs.settings import Settings
from server.events import EventLog
from server.limits import Limits
from server.metrics import Metrics
from server.runs.queue import RunQueue
from server.stripe_inbox import StripeInbox
from tools.ledger.ledger import Ledger
from tools.policy.engine import PolicyEngine

if TYPE_CHECKING:
    from server.auth import Tokens


@dataclass(frozen=True, kw_only=True)
class Common:
    """What a server and a worker both have."""

    settings: Settings
    plugs: Plugs
    events: EventLog
    queue: RunQueue
    inbox: StripeInbox
    metrics: Metrics

    @property
    def author(self) -> str:
        return author_of(self.settings)

    @property
    def ledger(self) -> Ledger:
        return self.plugs.ledger

    @property
    def policy(self) -> PolicyEngine:
        return self.plugs.cases.context.policy


@dataclass(frozen=True, kw_only=True)
class Services(Common):
    tokens: "Tokens"
    limits: Limits
    http: httpx.AsyncClient


def author_of(settings: Settings) -> str:
    """The name under which the assistant speaks."""
    return f"{settings.company} assistant"


async def services_of(request: Request) -> Services:
    return cast("Services", request.app.state.services)


ServicesDep = Annotated[Services, Depends(services_of)]
