"""Stripe, and the switch, that move between two steps of a case, on both databases: each moment is forced."""

import pytest

from tests.chaos.arena import Arena
from tests.chaos.racing import (
    LARGE,
    SMALL,
    Died,
    approve,
    confirm,
    dies,
    end_of,
    hooked,
    later,
    proposed,
    refunded,
    refused,
    settled,
    together,
    turn,
    waiting,
)
from tests.chaos.town import CHARGED
from tests.chaos.trades import Wish, dispute, meddle
from tools.errors import AlreadyUnderWay


class TestStripeMovesMeanwhile:
    def test_a_dispute_after_the_approval_voids_it(self, arena: Arena) -> None:
        action = waiting(arena, LARGE)
        hooked(arena, "ledger", "decide_action", later(dispute, arena.town, LARGE), after=True)

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
        hooked(arena, "mover", "refund", later(meddle, arena.town, LARGE, whole=whole))

        arena.run(approve(arena, action, "sam")(0))

        assert "failed" == end_of(arena, action).action.state
        assert CHARGED["large"] // (1 if whole else 3) == refunded(arena, action)

    def test_a_part_by_hand_right_before_the_write_of_another_part_leaves_enough(self, arena: Arena) -> None:
        """Nobody can look and write in one step; what Stripe holds is the last word."""
        wish = Wish(kind="refund", size="large", part=40)
        action = waiting(arena, wish)
        hooked(arena, "mover", "refund", later(meddle, arena.town, wish, whole=False))

        arena.run(approve(arena, action, "sam")(0))

        assert "succeeded" == end_of(arena, action).action.state
        assert action.amount.amount + CHARGED["large"] // 3 == refunded(arena, action)

    def test_a_refund_by_hand_after_a_crash_before_the_write_ends_it(self, arena: Arena) -> None:
        """A part, so that Stripe would not refuse ours: what was agreed to is not what is there any more."""
        wish = Wish(kind="refund", part=40)
        action = proposed(arena, wish)
        hooked(arena, "mover", "refund", dies)
        with pytest.raises(Died):
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
        hooked(arena, "mover", "refund", dies)
        with pytest.raises(Died):
            arena.run(confirm(arena, action)(0))
        arena.restart()
        arena.run(turn(arena, on=False))

        arena.run(arena.sweep())

        world, _ = arena.run(arena.judged())
        assert [("executing", [])] == [(story.action.state, story.done) for story in world.stories]
        assert "succeeded" == end_of(arena, action).action.state
