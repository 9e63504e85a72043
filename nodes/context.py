"""What a node is given: clients, models and limits, plugged in by `graphs.plugs`.

There are two contexts on purpose. The conversation reads and talks; only a case holds the power to move money.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from tools.billing.powers import MoneyMover
from tools.billing.types import BillingReader
from tools.errors import ConfigurationError
from tools.identity.verifier import Verifier
from tools.knowledge.types import KnowledgeBase
from tools.ledger.ledger import Ledger
from tools.ledger.types import Action, Receipt
from tools.nlu.types import Understander
from tools.policy.engine import PolicyEngine
from tools.policy.types import ActionRequest, Verdict
from tools.voice.voice import Voice


@dataclass(frozen=True, kw_only=True)
class Case:
    """Where a case stands. A denied request has a verdict and no action: nothing was recorded to do."""

    verdict: Verdict | None = None
    action: Action | None = None
    receipt: Receipt | None = None
    reason: str = ""
    """Why it is where it is, as the ledger has it."""


class Cases(Protocol):
    """Opens and moves cases, each a durable thread of the action graph. Every call is safe to repeat."""

    async def open(
        self,
        case_id: str,
        *,
        thread: str,
        request: ActionRequest,
        details: dict[str, Any],
        proposer: str = "assistant",
    ) -> Case:
        """Policy is asked and, unless it denies, the proposal is recorded under `case_id`."""
        ...

    async def confirm(self, case_id: str, *, digest: str, actor: str = "customer") -> Case:
        """The customer's yes to exactly this digest. Executes, or waits for a person.

        `actor` is another only where the yes was given before: to the plan that an instalment belongs to.
        """
        ...

    async def decline(self, case_id: str, *, digest: str) -> Case: ...

    async def withdraw(self, case_id: str, *, digest: str, why: str) -> Case:
        """Ends a proposal, or a request that waits for a person, before anything was done."""
        ...

    async def decide(
        self, case_id: str, *, digest: str, approve: bool, agent: str, reason: str, role: str = "agent"
    ) -> Case:
        """A person's decision on exactly this digest; it may take a second one. Raises `Conflict` and its kinds."""
        ...


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of one conversation. Below `confidence`: one clarifying question, then a person (DESIGN.md)."""

    confidence: float = 0.7
    clarifications: int = 1
    passages: int = 4
    invoices_shown: int = 5


_plugged: dict[type, object] = {}


def plug_in(*contexts: object) -> None:
    """Makes these the ones that `Context()` and `CaseContext()` copy, for hosts that build from nothing (Studio)."""
    _plugged.update({type(context): context for context in contexts})


def _plugged_in(owner: str, name: str) -> Callable[[], Any]:
    """Reads that field of the plugged-in context of class `owner`."""

    def read() -> Any:
        for kind, context in _plugged.items():
            if kind.__name__ == owner:
                return getattr(context, name)
        raise ConfigurationError("Nothing is plugged in. Start with `counterfoil serve` or `make studio`.")

    return read


class _ServerSide:
    """Nothing of a context can be set by a client: to one it is an empty object (and Studio shows an empty form)."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(lambda given: given if isinstance(given, cls) else cls())

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"title": cls.__name__, "type": "object", "properties": {}}


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Context(_ServerSide):
    """For the conversation: it can read billing and propose, never move money."""

    billing: BillingReader = field(default_factory=_plugged_in("Context", "billing"))
    knowledge: KnowledgeBase = field(default_factory=_plugged_in("Context", "knowledge"))
    understander: Understander = field(default_factory=_plugged_in("Context", "understander"))
    ledger: Ledger = field(default_factory=_plugged_in("Context", "ledger"))
    verifier: Verifier = field(default_factory=_plugged_in("Context", "verifier"))
    voice: Voice = field(default_factory=_plugged_in("Context", "voice"))
    cases: Cases = field(default_factory=_plugged_in("Context", "cases"))
    company: str = field(default_factory=_plugged_in("Context", "company"))
    limits: Limits = field(default_factory=Limits)
    now: Callable[[], datetime] = _utc_now


@dataclass(frozen=True, kw_only=True)
class CaseContext(_ServerSide):
    """For a case: `mover` is the one power to change anything at Stripe, and `execute_action` alone uses it."""

    billing: BillingReader = field(default_factory=_plugged_in("CaseContext", "billing"))
    mover: MoneyMover = field(default_factory=_plugged_in("CaseContext", "mover"))
    policy: PolicyEngine = field(default_factory=_plugged_in("CaseContext", "policy"))
    ledger: Ledger = field(default_factory=_plugged_in("CaseContext", "ledger"))
    now: Callable[[], datetime] = _utc_now
