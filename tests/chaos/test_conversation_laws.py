"""The laws of the conversations, on conversations that break them: a run that finds nothing must have been able to."""

from dataclasses import replace

import pytest

from server.events import Event
from tests.chaos.talks.account import recoveries
from tests.chaos.talks.customers import Heard, Turn
from tests.chaos.talks.laws import LAWS, NOBODY_WROTE, REPLY, Facts, Line, violations
from tests.chaos.talks.trouble import Kill

RUN, MESSAGE, REPLIED = "run-1", "message-1", "reply-1"
SAID = REPLY.format(text="hello") + "says process 7."
UPDATE = f'{{"speak":{{"messages":[{{"id":"{REPLIED}"}}]}}}}'
TOLD = (
    ("metadata", '{"attempt":1}'),
    ("custom", '{"text":"Heard by process 7"}'),
    ("updates", UPDATE),
    ("end", '{"status":"success"}'),
)
LOG = [
    Event(id=f"{at}-0", run=RUN, event=name, data=data, previous=f"{at - 1}-0" if at > 1 else "")
    for at, (name, data) in enumerate(TOLD, 1)
]
HEARD = [Heard(entry.id, entry.event, entry.data) for entry in LOG]
LINES = [Line(MESSAGE, "customer", "hello"), Line(REPLIED, "assistant", SAID)]


def turn(heard: list[Heard] = HEARD) -> Turn:
    return Turn(text="hello", message=MESSAGE, run=RUN, heard=heard)


FACTS = Facts(
    wanted=["hello"],
    modes=frozenset({"updates", "custom"}),
    turns=[turn()],
    replays=[HEARD],
    log=LOG,
    lines=LINES,
    said=LINES,
    heard=[MESSAGE],
    answered=1,
    runs={RUN: "success"},
    status="idle",
)


def without(place: int) -> list[Heard]:
    return [one for at, one in enumerate(HEARD) if at != place]


def followed_by(name: str, data: str, run: str = RUN) -> list[Event]:
    return [*LOG, Event(id="5-0", run=run, event=name, data=data, previous="4-0")]


def voiced(*processes: int) -> list[Event]:
    custom = [
        Event(id=f"{at}-0", run=RUN, event="custom", data=f"process {process}", previous=f"{at - 1}-0")
        for at, process in enumerate(processes, 2)
    ]
    return [LOG[0], *custom]


CUT_OFF = Heard("4-0", "end", NOBODY_WROTE)
BROKEN: dict[str, tuple[str, Facts]] = {
    "it never ended": ("every_conversation_ends", replace(FACTS, turns=[turn(HEARD[:-1])])),
    "a turn was never had": ("every_conversation_ends", replace(FACTS, wanted=["hello", "and now"])),
    "a run failed": ("every_conversation_ends", replace(FACTS, runs={RUN: "error"})),
    "a message was two runs": ("each_word_is_one_run", replace(FACTS, runs={RUN: "success", "run-2": "success"})),
    "an event was missed": ("nothing_is_missed_or_heard_twice", replace(FACTS, turns=[turn(without(1))])),
    "an event came twice": (
        "nothing_is_missed_or_heard_twice",
        replace(FACTS, turns=[turn([*HEARD[:2], *HEARD[1:]])]),
    ),
    "two events changed places": (
        "nothing_is_missed_or_heard_twice",
        replace(FACTS, turns=[turn([HEARD[0], HEARD[2], HEARD[1], HEARD[3]])]),
    ),
    "a byte is another": (
        "nothing_is_missed_or_heard_twice",
        replace(FACTS, turns=[turn([HEARD[0], HEARD[1]._replace(data="{}"), *HEARD[2:]])]),
    ),
    "an end was made up that is in the log": (
        "nothing_is_missed_or_heard_twice",
        replace(FACTS, turns=[turn([*HEARD[:3], CUT_OFF])]),
    ),
    "the whole stream is another": ("a_broken_stream_is_the_whole_one", replace(FACTS, replays=[without(2)])),
    "a gap was told": (
        "no_gap_is_told",
        replace(FACTS, turns=[turn([*HEARD[:2], Heard("2-0", "gap", "{}"), *HEARD[2:]])]),
    ),
    "the ledger has a message twice": (
        "each_message_is_kept_once",
        replace(FACTS, lines=[*LINES, LINES[0]._replace(id="message-2")]),
    ),
    "the ledger lost the reply": ("each_message_is_kept_once", replace(FACTS, lines=LINES[:1])),
    "the ledger lost the message": ("each_message_is_kept_once", replace(FACTS, lines=LINES[1:])),
    "a reply is half": (
        "each_message_is_kept_once",
        replace(FACTS, lines=[LINES[0], LINES[1]._replace(text="To hello: word 0, says process 7.")]),
    ),
    "the state has another reply": (
        "the_state_holds_the_same",
        replace(FACTS, said=[LINES[0], LINES[1]._replace(id="reply-2")]),
    ),
    "a step was done twice": ("each_step_counts_once", replace(FACTS, heard=[MESSAGE, MESSAGE])),
    "a step was lost": ("each_step_counts_once", replace(FACTS, answered=0)),
    "a reply was shown and is not kept": (
        "what_was_shown_is_kept",
        replace(FACTS, turns=[turn([*HEARD[:2], HEARD[2]._replace(data=UPDATE.replace(REPLIED, "lost")), HEARD[3]])]),
    ),
    "the thread is stuck": ("no_thread_is_stuck", replace(FACTS, status="busy")),
    "two speak at once": ("one_voice_at_a_time", replace(FACTS, log=voiced(7, 8))),
    "something comes after the end": ("nothing_comes_after_the_end", replace(FACTS, log=followed_by("values", "{}"))),
    "the log has a hole": ("the_log_is_one_chain", replace(FACTS, log=[LOG[0], *LOG[2:]])),
}


def test_a_conversation_as_it_should_be_breaks_no_law() -> None:
    assert [] == violations(FACTS)


def test_an_end_that_nobody_wrote_breaks_no_law() -> None:
    heard = [*HEARD[:3], CUT_OFF._replace(id="3-0")]
    assert [] == violations(replace(FACTS, log=LOG[:3], turns=[turn(heard)], replays=[heard]))


@pytest.mark.parametrize("what", BROKEN)
def test_what_breaks_a_law_is_found(what: str) -> None:
    law, facts = BROKEN[what]
    assert law in {found.partition(":")[0] for found in violations(facts)}


def test_every_law_is_broken_by_something() -> None:
    assert {law.__name__ for law in LAWS} == {law for law, _ in BROKEN.values()}


def entry(at: float, name: str, data: str) -> Event:
    return Event(id=f"{int(at * 1000)}-0", run=RUN, event=name, data=data)


@pytest.mark.parametrize(
    ("log", "took"),
    [
        ([entry(10, "custom", "process 7"), entry(19, "metadata", "")], [(12.0, 19.0)]),
        ([entry(10, "custom", "process 8"), entry(19, "metadata", "")], []),
        ([entry(10, "custom", "process 7"), entry(11, "end", "")], []),
    ],
    ids=["it had the run", "another had it", "it was over"],
)
def test_a_recovery_is_counted_from_the_kill_to_the_next_event(
    log: list[Event], took: list[tuple[float, float]]
) -> None:
    assert took == recoveries([Kill(7, at=12.0)], [replace(FACTS, log=log)])
