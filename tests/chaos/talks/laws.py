"""What must hold of every conversation when all is over, whatever happened to workers, servers, lines and Redis."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from server.events import Event
from tests.chaos.talks.customers import Heard, Turn
from tests.chaos.talks.graph import WORDS

VOICE = re.compile(r"process \d+")
REPLY = "To {text}: " + "".join(f"word {place}, " for place in range(WORDS))
ALWAYS = frozenset({"metadata", "error", "end"})
NOBODY_WROTE = "null"
"""Data of an end that the server tells from the ledger: the worker died when it had written down how the run ended."""


class Line(NamedTuple):
    """Of the ledger, or of the graph's state."""

    id: str
    role: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """One conversation, as everybody has it who took part."""

    wanted: list[str]
    """What the customer came to say."""
    modes: frozenset[str]
    turns: list[Turn]
    replays: list[list[Heard]]
    """Each run's events, read at one go."""
    log: list[Event]
    lines: list[Line]
    said: list[Line]
    """The same, in the graph's state."""
    heard: list[str]
    """Messages that the graph counted, in its state."""
    answered: int
    runs: dict[str, str]
    status: str
    """Of the thread."""

    def entries(self, run: str) -> list[Event]:
        return [entry for entry in self.log if entry.run == run]


Law = Callable[[Facts], Iterator[str]]


def violations(facts: Facts) -> list[str]:
    return [f"{law.__name__}: {found}" for law in LAWS for found in law(facts)]


def every_conversation_ends(facts: Facts) -> Iterator[str]:
    ended = [turn.text for turn in facts.turns if turn.ended]
    if ended != facts.wanted:
        yield f"{len(ended)} of {len(facts.wanted)} turns came to an end"
    if failed := {run: status for run, status in facts.runs.items() if status != "success"}:
        yield f"runs ended as {failed}"


def each_word_is_one_run(facts: Facts) -> Iterator[str]:
    if set(facts.runs) != {turn.run for turn in facts.turns}:
        yield f"{len(facts.runs)} runs for {len(facts.turns)} messages"


def nothing_is_missed_or_heard_twice(facts: Facts) -> Iterator[str]:
    """What a customer heard over all their lines is what stands in the log, byte for byte."""
    if "messages" in facts.modes:
        return  # what is told there is not in the log: it is made of it, and has the next law
    for turn in facts.turns:
        told = [
            Heard(one.id, one.event, one.data)
            for one in facts.entries(turn.run)
            if one.event in ALWAYS | _logged(facts.modes)
        ]
        heard = turn.heard[:-1] if _is_made_up(turn.heard[-1:]) else turn.heard
        if heard != told:
            yield f"run {turn.run}: {_difference(heard, told)}"


def a_broken_stream_is_the_whole_one(facts: Facts) -> Iterator[str]:
    for turn, replay in zip(facts.turns, facts.replays, strict=True):
        heard, whole = ((one[:-1] if _is_made_up(one[-1:]) else one) for one in (turn.heard, replay))
        if heard != whole:
            yield f"run {turn.run}: {_difference(heard, whole)}"


def no_gap_is_told(facts: Facts) -> Iterator[str]:
    for turn, replay in zip(facts.turns, facts.replays, strict=True):
        if "gap" in {one.name for one in (*turn.heard, *replay)}:
            yield f"run {turn.run} has a gap"


def each_message_is_kept_once(facts: Facts) -> Iterator[str]:
    """The ledger has what the customer said, and an answer to each, in order; the reply is whole, and of one voice."""
    said = [(line.id, line.text) for line in facts.lines if line.role == "customer"]
    if said != [(turn.message, turn.text) for turn in facts.turns]:
        yield f"{said} instead of {[turn.text for turn in facts.turns]}"
    if [line.role for line in facts.lines] != ["customer", "assistant"] * len(facts.turns):
        yield f"spoke: {[line.role for line in facts.lines]}"
    replies = [line.text for line in facts.lines if line.role != "customer"]
    for turn, reply in zip(facts.turns, replies, strict=False):
        if VOICE.sub("N", reply) != REPLY.format(text=turn.text) + "says N.":
            yield f"to {turn.text!r} was said {reply!r}"


def the_state_holds_the_same(facts: Facts) -> Iterator[str]:
    if facts.said != facts.lines:
        yield f"{facts.said} in the state, {facts.lines} in the ledger"


def each_step_counts_once(facts: Facts) -> Iterator[str]:
    if facts.heard != [turn.message for turn in facts.turns] or facts.answered != len(facts.turns):
        yield f"{len(facts.turns)} messages, heard {len(facts.heard)}, answered {facts.answered}"


def what_was_shown_is_kept(facts: Facts) -> Iterator[str]:
    """Of whole messages; words of a reply that was cut off are followed by the next attempt's `metadata`."""
    kept = {line.id for line in facts.lines}
    for turn in facts.turns:
        shown = {message for one in turn.heard for message in _messages(one)}
        if lost := shown - kept:
            yield f"run {turn.run} showed {lost}"


def no_thread_is_stuck(facts: Facts) -> Iterator[str]:
    if facts.status != "idle":
        yield f"the thread is left {facts.status}"


def one_voice_at_a_time(facts: Facts) -> Iterator[str]:
    """From one `metadata` to the next, one process speaks: whoever lost the run writes nothing more into it."""
    for run in facts.runs:
        voices: set[str] = set()
        for entry in facts.entries(run):
            if entry.event == "metadata":
                voices = set()
            elif entry.event in {"custom", "messages"}:
                voices |= set(VOICE.findall(entry.data))
            if len(voices) > 1:
                yield f"run {run}: {sorted(voices)} at once"
                break


def nothing_comes_after_the_end(facts: Facts) -> Iterator[str]:
    for run in facts.runs:
        names = [entry.event for entry in facts.entries(run)]
        if "end" in names[:-1]:
            yield f"run {run}: after its end came {names[names.index('end') + 1 :]}"


def the_log_is_one_chain(facts: Facts) -> Iterator[str]:
    before = ["", *(entry.id for entry in facts.log)]
    if broken := [entry.id for entry, last in zip(facts.log, before, strict=False) if entry.previous != last]:
        yield f"broken at {broken}"


def _logged(modes: frozenset[str]) -> frozenset[str]:
    return frozenset(mode.removesuffix("-tuple") for mode in modes)


def _is_made_up(last: list[Heard]) -> bool:
    return [(one.name, one.data) for one in last] == [("end", NOBODY_WROTE)]


def _messages(heard: Heard) -> set[str]:
    """Ids of the whole messages in it."""
    data = json.loads(heard.data)
    if heard.name == "values":
        parts = [data]
    elif heard.name == "updates":
        parts = [part for part in data.values() if isinstance(part, dict)]
    else:
        parts = []
    return {message["id"] for part in parts for message in part.get("messages") or []}


def _difference(heard: list[Heard], told: list[Heard]) -> str:
    place = next((i for i, (one, other) in enumerate(zip(heard, told, strict=False)) if one != other), None)
    if place is None:
        place = min(len(heard), len(told))
    one, other = heard[place : place + 2], told[place : place + 2]
    return f"{len(heard)} heard, {len(told)} told; at {place}: {one} instead of {other}"


LAWS: tuple[Law, ...] = (
    every_conversation_ends,
    each_word_is_one_run,
    nothing_is_missed_or_heard_twice,
    a_broken_stream_is_the_whole_one,
    no_gap_is_told,
    each_message_is_kept_once,
    the_state_holds_the_same,
    each_step_counts_once,
    what_was_shown_is_kept,
    no_thread_is_stuck,
    one_voice_at_a_time,
    nothing_comes_after_the_end,
    the_log_is_one_chain,
)
