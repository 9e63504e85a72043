"""Two who act at once, on both databases: each interleaving is forced."""

import asyncio

import pytest

from nodes.context import Case
from tests.chaos.actors import Hooked
from tests.chaos.arena import Arena
from tests.chaos.racing import (
    HUGE,
    LARGE,
    SMALL,
    Died,
    Ended,
    approve,
    confirm,
    dies,
    end_of,
    go_on,
    hooked,
    proposed,
    refused,
    reject,
    together,
    waiting,
    withdraw,
)
from tools.errors import IllegalTransition


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
        hooked(arena, "ledger", "decide_action", dies, after=True)
        with pytest.raises(Died):
            arena.run(approve(arena, action, "sam")(0))

        ended = together(arena, "begin_action", go_on(arena, action), go_on(arena, action))

        assert [] == refused(ended)
        assert "succeeded" == end_of(arena, action).action.state

    def test_two_servers_find_out_what_became_of_one_case(self, arena: Arena) -> None:
        action = proposed(arena, SMALL)
        hooked(arena, "mover", "refund", dies)
        with pytest.raises(Died):
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
