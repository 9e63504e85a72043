"""Putting policy's answer to the customer, when the answer does not come."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import TypeAdapter

from nodes.resolve_billing import resolve_billing
from nodes.resolving.charges import refund_of
from nodes.resolving.matter import Proposal
from nodes.state import SupportState
from tests.nodes.test_resolving import charge, matter
from tools.errors import BillingUnavailable, Conflict


class Failing:
    """A ledger without live actions, and cases that cannot be opened."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def actions(self, **_: Any) -> list[Any]:
        return []

    async def open(self, *_: Any, **__: Any) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "words"),
    [(Conflict(), "hand you to a colleague"), (BillingUnavailable(), "can't reach the billing data")],
)
async def test_what_cannot_be_weighed_goes_to_a_person_and_nothing_is_proposed(error: Exception, words: str) -> None:
    proposal = refund_of(matter(charge(4900)), charge(4900), "within_window")
    given: dict[str, Any] = {"proposal": TypeAdapter(Proposal).dump_python(proposal, mode="json")}
    given |= {"turn": {"message_id": "m"}, "identity": {"level": 2}}
    failing = Failing(error)
    context = SimpleNamespace(ledger=failing, cases=failing)
    runtime = SimpleNamespace(context=context, execution_info=SimpleNamespace(thread_id="t"))

    update = await resolve_billing(cast("SupportState", given), cast("Any", runtime))

    assert words in update["draft"]["text"]
    assert (update["asked"], update["proposal"]) == ("handover", None)
