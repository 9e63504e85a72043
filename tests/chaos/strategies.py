"""Schedules for Hypothesis: likely enough to get somewhere, and as mean as can be on the way."""

from hypothesis import strategies as st

from tests.chaos.moves import FAULTS, PEOPLE, Both, Move, Schedule
from tests.chaos.town import PLACES
from tests.chaos.trades import KINDS, TRADES, Wish
from tools.policy.types import ActionKind, Ground

Step = Move | Both
SERVERS = st.sampled_from((0, 0, 0, 1))
SIDES = st.sampled_from(("before", "after"))
PARTS = st.sampled_from((100, 40, 60))
PROPOSERS = st.sampled_from(("assistant", "assistant", "assistant", "sam"))
GROUNDS: st.SearchStrategy[Ground] = st.sampled_from(("duplicate", "goodwill"))
CALLS = {"mover": 1, "billing": 2, "saver": 10, "ledger": 12}
"""About as many as a walk makes in each layer."""
DEATHS = st.sampled_from([(layer, call) for layer, most in CALLS.items() for call in range(1, most + 1)])
METHODS = st.sampled_from(("POST", "POST", "GET", ".*"))
COUNTS = st.sampled_from((0, 0, 1, 2, 4))
OFTEN_REFUNDS: list[ActionKind] = [*KINDS, *8 * KINDS[:1]]
RARELY = st.sampled_from((False, False, False, True))

WORLD = {
    "dies": 7,
    "stripe_fails": 7,
    "forgets": 2,
    "sweeps": 2,
    "goes_on": 2,
    "is_done_by_hand": 2,
    "is_disputed": 1,
    "off": 2,
    "on": 1,
    "waits": 1,
    "stripe_recovers": 1,
}
CONTRARY = {"stale yes": 1, "another approves": 2, "stale approval": 1, "rejects": 1, "withdraws": 1, "declines": 1}
AT_ONCE = {"confirms": 2, "approves": 3, "withdraws": 1, "is_done_by_hand": 1, "is_disputed": 1, "off": 1, "sweeps": 2}


def _one_of(weights: dict[str, int]) -> st.SearchStrategy[str]:
    return st.sampled_from([verb for verb, weight in weights.items() for _ in range(weight)])


@st.composite
def _move(draw: st.DrawFn, weights: dict[str, int], case: int, server: int) -> Move:
    match draw(_one_of(weights)):
        case "dies":
            return Move("dies", case, (*draw(DEATHS), draw(SIDES)), server)
        case "stripe_fails":
            return Move("stripe_fails", case, (draw(st.sampled_from(range(len(FAULTS)))), draw(METHODS), draw(COUNTS)))
        case "is_done_by_hand":
            return Move("is_done_by_hand", case, draw(st.sampled_from(("part", "whole"))))
        case "off" | "on" as way:
            return Move("switches", case, way, server)
        case "waits":
            return Move("waits", case, draw(st.sampled_from((1, 1, 25, 130))))
        case "stale yes":
            return Move("confirms", case, "stale", server)
        case "another approves" | "approves":
            return Move("approves", case, draw(st.sampled_from(PEOPLE)), server)
        case "stale approval":
            return Move("approves", case, "kim stale", server)
        case "rejects":
            return Move("rejects", case, draw(st.sampled_from(PEOPLE)), server)
        case verb:
            return Move(verb, case, "", server)


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    kind = draw(st.sampled_from(OFTEN_REFUNDS))
    size, place = draw(st.sampled_from(TRADES[kind].sizes)), draw(st.sampled_from(PLACES))
    if kind != "refund":
        proposer = "sam" if kind == "credit_note" else draw(PROPOSERS)
        return Wish(kind=kind, size=size, place=place, ground="customer_request", proposer=proposer)
    return Wish(kind=kind, size=size, place=place, part=draw(PARTS), ground=draw(GROUNDS), proposer=draw(PROPOSERS))


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Each case is on its way to be agreed to, by the customer and two people; much comes in between."""
    asked = tuple(draw(st.lists(wishes(), min_size=1, max_size=2)))
    steps: list[Step] = []
    for case in draw(st.permutations(range(len(asked)))):
        for verb, who in (("confirms", ""), ("approves", "kim"), ("approves", "lee")):
            steps += draw(_around(Move(verb, case, who, draw(SERVERS))))
    return Schedule(asked, tuple(steps))


@st.composite
def _around(draw: st.DrawFn, step: Move) -> list[Step]:
    """The step, with something in its way, or beside it, or instead of it."""
    here = {"case": step.case, "server": step.server}
    found: list[Step] = [draw(_move(WORLD, **here)) for _ in range(draw(st.sampled_from((0, 1, 1, 2))))]
    if draw(RARELY):
        found.append(draw(_move(CONTRARY, **here)))
    beside = draw(_move(AT_ONCE, case=step.case, server=1 - step.server)) if draw(RARELY) else None
    return [*found, Both(step, beside) if beside else step]
