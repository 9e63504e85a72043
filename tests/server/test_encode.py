"""Parts of a graph's stream on their way to clients."""

from server.runs.encode import encode


def test_a_step_that_was_kept_from_an_attempt_before_is_told_as_a_step_alone() -> None:
    part = {"type": "updates", "ns": (), "data": {"speak": {"stage": "resolve"}, "__metadata__": {"cached": True}}}
    assert ("updates", '{"speak":{"stage":"resolve"}}') == encode(part)
