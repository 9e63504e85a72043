"""What must hold of the world after a process died and another went on, whatever the point."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

Json = dict[str, Any]
ENDS = frozenset({"succeeded", "failed", "void", "declined", "rejected", "expired"})
CLAIM = "CF-"
"""Only a receipt's number, or the word that it was done, says that something was done."""
DONE = "Done:"


class Line(NamedTuple):
    id: str
    role: str
    text: str

    @property
    def claims(self) -> bool:
        return self.role != "customer" and (CLAIM in self.text or DONE in self.text)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The ledger's side, as a process finds it that comes later."""

    state: str
    states: list[str]
    """Every state that the action came to, in order."""
    effects: list[tuple[str | None, str | None]]
    """Outcome and Stripe's id of each intent."""
    receipt: str | None
    receipts_issued: int
    receipt_verifies: bool | None
    promises: list[str]
    """Kinds of what the customer was promised."""
    audit_checked: int
    audit_entries: int
    runs: list[str]
    lines: list[Line]


@dataclass(frozen=True, kw_only=True)
class World:
    facts: Facts
    requests: int
    """Requests by which Stripe changed something in the action's name."""
    done: bool
    """Whether Stripe's object is as the action wanted it."""
    message: str
    """Id of the customer's yes."""
    before: int
    """Lines that were said before it."""
    promised: list[str]
    """What a run promises that nothing happens to."""
    answers: int = 1
    """How often the customer is spoken to after the yes."""
    unwitnessed: bool = False
    """Whether, when the process died, Stripe had done something of which the ledger had no intent."""


def violations(world: World) -> list[str]:
    return [f"{law.__name__}: {found}" for law in LAWS for found in law(world)]


def one_effect_or_none(world: World) -> Iterator[str]:
    wanted = 1 if world.facts.state == "succeeded" else 0
    if (world.requests, world.done) != (wanted, bool(wanted)):
        yield f"{world.facts.state}, and Stripe saw {world.requests} (done: {world.done})"


def the_intent_came_first(world: World) -> Iterator[str]:
    if world.unwitnessed:
        yield "Stripe was asked before it was written down that it would be"


def a_clear_state(world: World) -> Iterator[str]:
    if world.facts.state not in ENDS:
        yield f"left {world.facts.state}"
    ends = [state for state in world.facts.states if state in ENDS]
    if len(ends) != 1:
        yield f"came to {world.facts.states}"


def the_intent_is_kept_and_finished(world: World) -> Iterator[str]:
    outcomes = [outcome for outcome, _ in world.facts.effects]
    if world.facts.state == "succeeded" and outcomes != ["done"]:
        yield f"succeeded with {outcomes}"
    if None in outcomes or "unknown" in outcomes:
        yield f"an intent is open: {outcomes}"


def one_receipt_that_verifies(world: World) -> Iterator[str]:
    facts = world.facts
    wanted = 1 if facts.state == "succeeded" else 0
    if facts.receipts_issued != wanted or (facts.receipt is not None) != bool(wanted):
        yield f"{facts.state}, and {facts.receipts_issued} were issued ({facts.receipt})"
    if facts.receipt is not None and not facts.receipt_verifies:
        yield f"{facts.receipt} does not verify"


def every_promise_is_kept_in_mind(world: World) -> Iterator[str]:
    wanted = world.promised if world.facts.state == "succeeded" else []
    if world.facts.promises != wanted:
        yield f"{world.facts.promises} instead of {wanted}"


def the_audit_log_holds(world: World) -> Iterator[str]:
    if world.facts.audit_checked < world.facts.audit_entries:  # more: a sweep wrote while we looked
        yield f"{world.facts.audit_entries} entries, {world.facts.audit_checked} of them in the chain"


def the_customer_is_told_the_truth_once(world: World) -> Iterator[str]:
    """One answer to the yes, two where the first could not know, and nothing beside it."""
    facts = world.facts
    said = [line for line in facts.lines[world.before :] if line.role != "customer"]
    claims = [line for line in said if line.claims]
    if facts.state != "succeeded" and claims:
        yield f"{facts.state}, and told {[line.text for line in claims]}"
    if facts.state == "succeeded" and [str(facts.receipt) in line.text for line in claims] != [True]:
        yield f"{facts.receipt}, and told {[line.text for line in said]}"
    if len(said) != world.answers:
        yield f"told {len(said)} times: {[line.text for line in said]}"


def the_customers_word_is_kept_once(world: World) -> Iterator[str]:
    said = [line.id for line in world.facts.lines[world.before :] if line.role == "customer"]
    if said != [world.message]:
        yield f"{said} instead of {world.message}"


def no_run_is_left(world: World) -> Iterator[str]:
    left = [status for status in world.facts.runs if status != "success"]
    if left:
        yield f"runs ended as {left}"


LAWS: tuple[Callable[[World], Iterator[str]], ...] = (
    one_effect_or_none,
    the_intent_came_first,
    a_clear_state,
    the_intent_is_kept_and_finished,
    one_receipt_that_verifies,
    every_promise_is_kept_in_mind,
    the_audit_log_holds,
    the_customer_is_told_the_truth_once,
    the_customers_word_is_kept_once,
    no_run_is_left,
)
