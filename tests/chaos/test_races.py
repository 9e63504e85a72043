"""Two who act at once, and the world that moves between two steps: each interleaving is forced, on both databases."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from nodes.context import Case
from tests.chaos.actors import Hooked
from tests.chaos.arena import Arena
from tests.chaos.settled import Story, World
from tests.chaos.town import CHARGED
from tests.chaos.trades import Wish, dispute, meddle
from tools.errors import AlreadyUnderWay, CounterfoilError, IllegalTransition
from tools.ledger.switches import AUTOMATIC
from tools.ledger.types import Action

SMALL = Wish(kind="refund")
LARGE = Wish(kind="refund", size="large")
HUGE = Wish(kind="refund", size="huge")
Ended = list[Case | BaseException]
Act = Callable[[int], Coroutine[Any, Any, Case]]
"""Done by the server at that place."""


def together(arena: Arena, call: str, *acts: Act) -> Ended:
    """One act on each server; none goes past its first `call` of the ledger before both have come to it."""
    barrier = asyncio.Barrier(len(acts))
    for place in range(len(acts)):
        arena.restart(place, ledger=Hooked(arena.servers[place].ledger, call, barrier.wait))

    async def at_once() -> Ended:
        return list(await asyncio.gather(*(act(place) for place, act in enumerate(acts)), return_exceptions=True))

    return arena.run(at_once())


def hooked(arena: Arena, part: str, call: str, hook: Callable[[], Awaitable[Any]], *, after: bool = False) -> None:
    """The first server's next `call` meets the hook."""
    server = arena.servers[0]
    inner = {"ledger": server.ledger, "mover": server.witness(), "billing": server.billing}[part]
    arena.restart(0, **{part: Hooked(inner, call, hook, after=after)})


def proposed(arena: Arena, wish: Wish) -> Action:
    return arena.run(arena.opened(wish))


def waiting(arena: Arena, wish: Wish) -> Action:
    """Confirmed, and before a person."""
    action = proposed(arena, wish)
    case = arena.run(confirm(arena, action)(0))
    assert case.action
    assert "awaiting_approval" == case.action.state
    return action


def confirm(arena: Arena, action: Action) -> Act:
    return lambda place: arena.processes[place].cases.confirm(action.id, digest=action.digest)


def approve(arena: Arena, action: Action, *agents: str) -> Act:
    """Each server has an agent of its own."""
    return lambda place: arena.processes[place].cases.decide(
        action.id, digest=action.digest, approve=True, agent=agents[place % len(agents)], reason="ok"
    )


def reject(arena: Arena, action: Action, agent: str) -> Act:
    return lambda place: arena.processes[place].cases.decide(
        action.id, digest=action.digest, approve=False, agent=agent, reason="no"
    )


def withdraw(arena: Arena, action: Action) -> Act:
    return lambda place: arena.processes[place].cases.withdraw(action.id, digest=action.digest, why="kept it")


def go_on(arena: Arena, action: Action) -> Act:
    return lambda place: arena.processes[place].cases.go_on(action.id)


def settled(arena: Arena) -> World:
    """At rest, and by every law."""
    arena.run(arena.settle())
    world, broken = arena.run(arena.judged())
    assert [] == broken
    return world


def end_of(arena: Arena, action: Action) -> Story:
    return next(story for story in settled(arena).stories if story.action.id == action.id)


def refused(ended: Ended) -> list[type]:
    unexpected = [end for end in ended if isinstance(end, BaseException) and not isinstance(end, CounterfoilError)]
    assert [] == unexpected
    return [type(end) for end in ended if isinstance(end, BaseException)]


async def turn(arena: Arena, *, on: bool) -> None:
    await arena.ledger.turn_switch(AUTOMATIC, on=on, actor="lee", reason="to be sure")


class TestPeopleAtOnce:
    def test_two_desks_approve_what_needs_one_and_one_of_them_is_told_it_is_settled(self, arena: Arena) -> None:
        action = waiting(arena, LARGE)
        yes = approve(arena, action, "sam", "kim")

        ended = together(arena, "decide_action", yes, yes)

        assert [IllegalTransition] == refused(ended)
        story = end_of(arena, action)
        assert ("succeeded", 1) == (story.action.state, len(story.approvals))

    def test_two_desks_approve_what_needs_two_and_it_is_done_once(self, arena: Arena) -> None:
        action = waiting(arena, HUGE)
        yes = approve(arena, action, "sam", "kim")

        ended = together(arena, "decide_action", yes, yes)

        assert [] == refused(ended)
        assert "succeeded" == end_of(arena, action).action.state

    def test_one_person_at_two_desks_is_one_person(self, arena: Arena) -> None:
        action = waiting(arena, HUGE)
        yes = approve(arena, action, "sam")

        ended = together(arena, "decide_action", yes, yes)

        assert [] == refused(ended)
        assert "awaiting_approval" == end_of(arena, action).action.state

    def test_of_a_yes_and_a_no_at_once_one_counts(self, arena: Arena) -> None:
        action = waiting(arena, LARGE)

        ended = together(arena, "decide_action", approve(arena, action, "sam"), reject(arena, action, "kim"))

        assert [IllegalTransition] == refused(ended)
        assert end_of(arena, action).action.state in {"succeeded", "rejected"}

    def test_a_double_click_is_one_yes(self, arena: Arena) -> None:
        action = proposed(arena, SMALL)
        yes = confirm(arena, action)

        ended = together(arena, "move_action", yes, yes)

        assert set(refused(ended)) <= {IllegalTransition}
        assert "succeeded" == end_of(arena, action).action.state

    def test_a_double_click_on_one_server_is_one_yes(self, arena: Arena) -> None:
        action = proposed(arena, SMALL)
        yes = confirm(arena, action)

        async def twice() -> Ended:
            return list(await asyncio.gather(yes(0), yes(0), return_exceptions=True))

        assert set(refused(arena.run(twice()))) <= {IllegalTransition}
        assert "succeeded" == end_of(arena, action).action.state

    def test_two_servers_take_up_one_case(self, arena: Arena) -> None:
        action = waiting(arena, LARGE)
        hooked(arena, "ledger", "decide_action", _dies, after=True)
        with pytest.raises(_Died):
            arena.run(approve(arena, action, "sam")(0))

        ended = together(arena, "begin_action", go_on(arena, action), go_on(arena, action))

        assert [] == refused(ended)
        assert "succeeded" == end_of(arena, action).action.state

    def test_two_servers_find_out_what_became_of_one_case(self, arena: Arena) -> None:
        action = proposed(arena, SMALL)
        hooked(arena, "mover", "refund", _dies)
        with pytest.raises(_Died):
            arena.run(confirm(arena, action)(0))

        ended = together(arena, "effects", go_on(arena, action), go_on(arena, action))

        assert [] == refused(ended)
        assert "succeeded" == end_of(arena, action).action.state

    def test_another_server_takes_it_up_while_the_first_is_sending(self, arena: Arena) -> None:
        """What is not at Stripe yet may still come, so that it is missing proves nothing."""
        action = proposed(arena, SMALL)
        hooked(arena, "mover", "refund", lambda: go_on(arena, action)(1))

        arena.run(confirm(arena, action)(0))

        assert "succeeded" == end_of(arena, action).action.state

    def test_another_server_takes_it_up_while_the_first_waits_for_an_answer(self, arena: Arena) -> None:
        action = proposed(arena, SMALL)
        hooked(arena, "mover", "refund", lambda: go_on(arena, action)(1), after=True)

        arena.run(confirm(arena, action)(0))

        assert "succeeded" == end_of(arena, action).action.state


class TestTheCustomerTakesItBack:
    def test_while_a_person_approves_it(self, arena: Arena) -> None:
        action = waiting(arena, LARGE)
        barrier = asyncio.Barrier(2)
        hooked(arena, "ledger", "decide_action", barrier.wait)
        arena.restart(1, ledger=Hooked(arena.servers[1].ledger, "move_action", barrier.wait))

        async def at_once() -> Ended:
            both = approve(arena, action, "sam")(0), withdraw(arena, action)(1)
            return list(await asyncio.gather(*both, return_exceptions=True))

        assert set(refused(arena.run(at_once()))) <= {IllegalTransition}
        assert end_of(arena, action).action.state in {"void", "succeeded"}

    def test_between_approval_and_execution(self, arena: Arena) -> None:
        action = waiting(arena, LARGE)
        hooked(arena, "ledger", "begin_action", lambda: withdraw(arena, action)(1))

        arena.run(approve(arena, action, "sam")(0))

        assert "void" == end_of(arena, action).action.state

    def test_when_it_is_being_carried_out_is_too_late(self, arena: Arena) -> None:
        action = waiting(arena, LARGE)
        late: list[BaseException | Case] = []

        async def too_late() -> None:
            late.extend(await asyncio.gather(withdraw(arena, action)(1), return_exceptions=True))

        hooked(arena, "ledger", "begin_action", too_late, after=True)
        arena.run(approve(arena, action, "sam")(0))

        assert [IllegalTransition] == refused(late)
        assert "succeeded" == end_of(arena, action).action.state


class TestStripeMovesMeanwhile:
    def test_a_dispute_after_the_approval_voids_it(self, arena: Arena) -> None:
        action = waiting(arena, LARGE)
        hooked(arena, "ledger", "decide_action", _later(dispute, arena.town, LARGE), after=True)

        arena.run(approve(arena, action, "sam")(0))

        assert "void" == end_of(arena, action).action.state

    def test_a_dispute_right_before_the_write_is_refused_by_stripe(self, arena: Arena) -> None:
        action = waiting(arena, LARGE)
        arena.town.sandbox.fault(path="/v1/refunds", kind="dispute_before")

        arena.run(approve(arena, action, "sam")(0))

        story = end_of(arena, action)
        assert ("failed", "charge_disputed") == (story.action.state, story.events[-1].reason)

    @pytest.mark.parametrize("whole", [True, False], ids=["whole", "part"])
    def test_a_refund_by_hand_before_the_evidence_is_read_voids_it(self, arena: Arena, *, whole: bool) -> None:
        action = waiting(arena, LARGE)
        meddle(arena.town, LARGE, whole=whole)

        arena.run(approve(arena, action, "sam")(0))

        assert "void" == end_of(arena, action).action.state

    @pytest.mark.parametrize("whole", [True, False], ids=["whole", "part"])
    def test_a_refund_by_hand_right_before_the_write_leaves_too_little(self, arena: Arena, *, whole: bool) -> None:
        action = waiting(arena, LARGE)
        hooked(arena, "mover", "refund", _later(meddle, arena.town, LARGE, whole=whole))

        arena.run(approve(arena, action, "sam")(0))

        assert "failed" == end_of(arena, action).action.state
        assert refunded(arena, action) < CHARGED["large"] or whole

    def test_a_part_by_hand_right_before_the_write_of_another_part_leaves_enough(self, arena: Arena) -> None:
        """Nobody can look and write in one step; what Stripe holds is the last word."""
        wish = Wish(kind="refund", size="large", part=40)
        action = waiting(arena, wish)
        hooked(arena, "mover", "refund", _later(meddle, arena.town, wish, whole=False))

        arena.run(approve(arena, action, "sam")(0))

        assert "succeeded" == end_of(arena, action).action.state
        assert action.amount.amount + CHARGED["large"] // 3 == refunded(arena, action)

    def test_a_refund_by_hand_after_a_crash_before_the_write_ends_it(self, arena: Arena) -> None:
        """A part, so that Stripe would not refuse ours: what was agreed to is not what is there any more."""
        wish = Wish(kind="refund", part=40)
        action = proposed(arena, wish)
        hooked(arena, "mover", "refund", _dies)
        with pytest.raises(_Died):
            arena.run(confirm(arena, action)(0))
        meddle(arena.town, wish, whole=False)

        assert "failed" == end_of(arena, action).action.state

    def test_two_parts_of_one_charge_from_two_conversations_at_once(self, arena: Arena) -> None:
        first = proposed(arena, Wish(kind="refund", part=60))
        second = proposed(arena, Wish(kind="refund", part=60))

        ended = together(arena, "move_action", confirm(arena, first), confirm(arena, second))

        assert [AlreadyUnderWay] == refused(ended)
        states = sorted(story.action.state for story in settled(arena).stories)
        assert ["proposed", "succeeded"] == states
        left = first if refused(ended[:1]) else second
        arena.run(confirm(arena, left)(0))
        assert "void" == end_of(arena, left).action.state


class TestTheSwitchIsTurned:
    def test_off_right_before_it_begins_a_person_decides(self, arena: Arena) -> None:
        action = proposed(arena, SMALL)
        hooked(arena, "ledger", "begin_action", lambda: turn(arena, on=False))

        arena.run(confirm(arena, action)(0))

        world = arena.run(arena.judged())[0]
        assert ["awaiting_approval"] == [story.action.state for story in world.stories]
        assert [] == world.stories[0].done
        arena.run(approve(arena, action, "sam")(0))
        assert "succeeded" == end_of(arena, action).action.state

    def test_off_when_it_has_begun_it_is_finished(self, arena: Arena) -> None:
        action = proposed(arena, SMALL)
        hooked(arena, "ledger", "begin_action", lambda: turn(arena, on=False), after=True)

        arena.run(confirm(arena, action)(0))

        assert "succeeded" == end_of(arena, action).action.state

    def test_off_after_a_crash_nothing_is_sent_until_it_is_on(self, arena: Arena) -> None:
        action = proposed(arena, SMALL)
        hooked(arena, "mover", "refund", _dies)
        with pytest.raises(_Died):
            arena.run(confirm(arena, action)(0))
        arena.restart()
        arena.run(turn(arena, on=False))

        arena.run(arena.sweep())

        world, _ = arena.run(arena.judged())
        assert [("executing", [])] == [(story.action.state, story.done) for story in world.stories]
        assert "succeeded" == end_of(arena, action).action.state


class _Died(BaseException):
    """The process that made the call is no more."""


async def _dies() -> None:
    raise _Died


def _later(work: Callable[..., None], *args: Any, **kwargs: Any) -> Callable[[], Awaitable[None]]:
    async def done() -> None:
        work(*args, **kwargs)

    return done


def refunded(arena: Arena, action: Action) -> int:
    return sum(refund.amount for refund in arena.town.v1.refunds.list({"charge": action.target}).data)
