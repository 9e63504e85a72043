"""What models and Stripe were asked while something was done, gathered for the audit log.

Clients `note` each call; `Ledger.recording` gathers those of one piece of work and writes them down.
Ids, counts and outcomes only: neither bodies nor queries, since those hold what customers said and who they are.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from genai_prices import Usage, calc_price

Outcome = Literal["answered", "refused", "failed"]


@dataclass(frozen=True, kw_only=True)
class StripeCall:
    """One request. `status` None: no answer came."""

    method: str
    path: str
    status: int | None
    request: str | None
    """Stripe's own id of it, `req_…`."""
    key: str | None
    """The idempotency key of a write."""


@dataclass(frozen=True, kw_only=True)
class ModelCall:
    """One request to a language model. `refused`: the truth gate kept what it said from the customer."""

    model: str
    prompt: str
    """Name and version: `resolve@1`."""
    outcome: Outcome
    input_tokens: int | None = None
    output_tokens: int | None = None

    @property
    def cost_micro_usd(self) -> int | None:
        """By the provider's list price; None when the model or its usage is not known."""
        if self.input_tokens is None or self.output_tokens is None:
            return None
        try:
            price = calc_price(
                Usage(input_tokens=self.input_tokens, output_tokens=self.output_tokens), model_ref=self.model
            )
        except LookupError:
            return None
        return round(price.total_price * 1_000_000)


Call = StripeCall | ModelCall
_gathered: ContextVar[list[Call] | None] = ContextVar("calls", default=None)


@contextmanager
def gathering() -> Iterator[list[Call]]:
    """The calls that are noted within, by this task and those that it starts."""
    calls: list[Call] = []
    token = _gathered.set(calls)
    try:
        yield calls
    finally:
        _gathered.reset(token)


def note(call: Call) -> None:
    """Outside of any gathering nothing is kept: that is a probe's or a command's own call."""
    if (calls := _gathered.get()) is not None:
        calls.append(call)


class HasUsage(Protocol):
    usage_metadata: Any


def tokens(message: HasUsage | None) -> Mapping[str, int | None]:
    """What a provider says that a call has used; nothing when it does not say."""
    used = (message.usage_metadata if message else None) or {}
    return {"input_tokens": used.get("input_tokens"), "output_tokens": used.get("output_tokens")}
