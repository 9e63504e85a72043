"""What must hold of cases when nothing moves any more, whatever went wrong on the way."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from tools.ledger.audit import AuditBroken
from tools.ledger.ledger import Ledger
from tools.ledger.switches import AUTOMATIC
from tools.ledger.transitions import TRANSITIONS
from tools.ledger.types import Action, ActionEvent, Approval, AuditEntry, Effect, Receipt
from tools.policy.engine import PolicyEngine

Json = dict[str, Any]
ENDS = frozenset({"succeeded", "failed", "void", "declined", "rejected", "expired"})
POLICY = PolicyEngine.load()
WAITING = frozenset({"proposed", "awaiting_approval"})
"""Rests, but for a person's word."""


@dataclass(frozen=True, kw_only=True)
class Story:
    """One action: what the ledger tells of it, and what stands at Stripe in its name."""

    action: Action
    events: list[ActionEvent]
    approvals: list[Approval]
    effects: list[Effect]
    receipt: Receipt | None
    verified: bool
    done: list[Json]
    """Stripe's events of its deed."""
    at_stripe: bool
    """Whether there are any, when it is done."""
    until: datetime | None
    """When the proposal ended."""

    @property
    def states(self) -> list[str]:
        return [event.state for event in self.events]

    @property
    def executed(self) -> bool:
        return "executing" in self.states or bool(self.done)

    @property
    def name(self) -> str:
        return f"{self.action.kind} {' > '.join(self.states)}"


@dataclass(frozen=True, kw_only=True)
class World:
    stories: list[Story]
    audit: list[AuditEntry]
    audit_holds: bool
    seen: list[str]
    """What the witness before Stripe noted."""


async def story_of(
    ledger: Ledger, action: Action, done: list[Json], *, at_stripe: bool, until: datetime | None
) -> Story:
    receipt = await ledger.receipt_of(action.id)
    return Story(
        action=action,
        events=await ledger.action_events(action.id),
        approvals=await ledger.approvals(action.id),
        effects=await ledger.effects(action.id),
        receipt=receipt,
        verified=receipt is not None and await ledger.verify_receipt(receipt.number),
        done=done,
        at_stripe=at_stripe,
        until=until,
    )


async def world_of(ledger: Ledger, stories: list[Story], seen: list[str]) -> World:
    try:
        await ledger.verify_audit()
        holds = True
    except AuditBroken:
        holds = False
    audit: list[AuditEntry] = []
    while more := await ledger.audit_entries(after=len(audit)):
        audit += more
    return World(stories=stories, audit=audit, audit_holds=holds, seen=list(seen))


def violations(world: World) -> list[str]:
    return [f"{law.__name__}: {found}" for law in LAWS for found in law(world)]


def one_effect_for_each_success(world: World) -> Iterator[str]:
    for story in world.stories:
        wanted = 1 if story.action.state == "succeeded" and story.at_stripe else 0
        if len(story.done) != wanted:
            yield f"{story.name}, and Stripe has {len(story.done)}"


def nothing_is_left_under_way(world: World) -> Iterator[str]:
    for story in world.stories:
        if story.action.state not in ENDS | WAITING:
            yield story.name


def a_receipt_for_each_success(world: World) -> Iterator[str]:
    for story in world.stories:
        succeeded = story.action.state == "succeeded"
        if (story.receipt is not None) != succeeded:
            yield f"{story.name}, and the receipt is {story.receipt}"
        if story.receipt and not (story.verified and story.receipt.body["stripe_id"] == _stripe_id(story)):
            yield f"{story.name}: {story.receipt.number} names {story.receipt.body['stripe_id']} or does not verify"
    issued = sum(entry.event == "receipt.issued" for entry in world.audit)
    if issued != sum(story.receipt is not None for story in world.stories):
        yield f"{issued} were issued"


def an_intent_for_each_deed(world: World) -> Iterator[str]:
    yield from world.seen
    for story in world.stories:
        outcomes = [effect.outcome for effect in story.effects]
        wanted = {"succeeded": [["done"]], "failed": [["refused"], ["absent"]]}.get(story.action.state, [[]])
        if story.action.state in ENDS | WAITING and outcomes not in wanted:
            yield f"{story.name}, and the intents ended as {outcomes}"


def every_move_is_by_the_table(world: World) -> Iterator[str]:
    for story in world.stories:
        numbers = [event.sequence for event in story.events]
        wrong = [(a, b) for a, b in pairwise(story.events) if b.state not in TRANSITIONS[a.state]]
        whole = numbers == list(range(1, len(numbers) + 1)) and story.states[0] == "proposed"
        if wrong or not whole or story.states[-1] != story.action.state:
            yield f"{story.name}, numbered {numbers}, and is {story.action.state}"


def executed_means_agreed_to(world: World) -> Iterator[str]:
    for story in world.stories:
        if story.executed and "confirmed" not in story.states:
            yield f"{story.name}: nobody said yes"


def executed_means_approved(world: World) -> Iterator[str]:
    """By enough different people, none of whom proposed it, of exactly this; and by no refusal."""
    for story in world.stories:
        people = approvers(story)
        needed = max(1, story.action.approvals_needed)
        if story.executed and needs_people(story) and len(people) < needed:
            yield f"{story.name}: {len(people)} of {needed} people, {sorted(people)}"
        if [each for each in story.approvals if each.verdict == "approve" and each.agent == story.action.proposer]:
            yield f"{story.name}: approved by who proposed it"
        if story.executed and "rejected" in story.states:
            yield f"{story.name}: executed and rejected"


def nothing_automatic_while_switched_off(world: World) -> Iterator[str]:
    on, named = True, {story.action.id: story for story in world.stories}
    for entry in world.audit:
        if entry.event == "switch.turned" and entry.data["name"] == AUTOMATIC:
            on = entry.data["on"]
        story = named.get(str(entry.data.get("action")))
        if entry.event == "action.executing" and not on and story and not approvers(story):
            yield f"{story.name}: begun while off, approved by nobody"


def agreed_to_in_time(world: World) -> Iterator[str]:
    for story in world.stories:
        at = {event.state: event.at for event in story.events}
        if story.until and "confirmed" in at and at["confirmed"] >= story.until:
            yield f"{story.name}: confirmed at {at['confirmed']}, after {story.until}"
        if "approved" in at and at["approved"] >= at["awaiting_approval"] + POLICY.approval_lasts:
            yield f"{story.name}: approved at {at['approved']}, asked for at {at['awaiting_approval']}"


def the_audit_log_is_whole(world: World) -> Iterator[str]:
    """In its chain, and with each move of each action in it."""
    if not world.audit_holds:
        yield "the chain is broken"
    for story in world.stories:
        moves = [
            e.event for e in world.audit if e.event.startswith("action.") and e.data.get("action") == story.action.id
        ]
        if moves != [f"action.{state}" for state in story.states]:
            yield f"{story.name}, and the log has {moves}"


def the_terms_never_change(world: World) -> Iterator[str]:
    """What was done is what was named: amount and target of the effect are the action's."""
    for story in world.stories:
        for event in story.done:
            thing = event["data"]["object"]
            if story.action.kind == "refund" and _refunded(thing) != (story.action.target, story.action.amount.amount):
                yield f"{story.name}: {_refunded(thing)}"


def needs_people(story: Story) -> bool:
    return story.action.outcome == "needs_approval" or "awaiting_approval" in story.states


def approvers(story: Story) -> set[str]:
    said = [each for each in story.approvals if each.verdict == "approve" and each.digest == story.action.digest]
    return {each.agent for each in said} - {story.action.proposer}


def _stripe_id(story: Story) -> str | None:
    return next((effect.stripe_id for effect in story.effects), None)


def _refunded(refund: Json) -> tuple[str, int]:
    return refund["charge"], refund["amount"]


LAWS: tuple[Callable[[World], Iterator[str]], ...] = (
    one_effect_for_each_success,
    nothing_is_left_under_way,
    a_receipt_for_each_success,
    an_intent_for_each_deed,
    every_move_is_by_the_table,
    executed_means_agreed_to,
    executed_means_approved,
    nothing_automatic_while_switched_off,
    agreed_to_in_time,
    the_audit_log_is_whole,
    the_terms_never_change,
)
