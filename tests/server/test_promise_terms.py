"""What is promised is what the policy documents say."""

from pathlib import Path

import pytest

from nodes.case.deeds.refunds import REFUND_DAYS
from nodes.promising import USUALLY
from server.promises.attempts import ATTEMPTS, GAPS
from server.promises.plans import MOST_MISSED
from tools.business_days import CLOSES, OPENS

KNOWLEDGE = Path(__file__).parents[2] / "knowledge"
WORDS = {2: "two", 4: "four"}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("contact", f"Monday to Friday from {OPENS:%H:%M} to {CLOSES:%H:%M} UTC"),
        ("contact", f"a person answers within {USUALLY}"),
        ("refunds", f"approved by a person before it is made, usually within {USUALLY}"),
        ("refunds", f"count {REFUND_DAYS} business days from the date on your receipt"),
        ("failed-payments", f"try again up to {WORDS[ATTEMPTS - 1]} times over the next {sum(GAPS)} days"),
        ("payment-plans", f"After {WORDS[MOST_MISSED]} missed instalments the plan ends"),
    ],
)
def test_the_document_says_so(document: str, said: str) -> None:
    assert said in (KNOWLEDGE / f"{document}.md").read_text("utf-8")
