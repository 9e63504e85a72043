"""Why an instalment was declined, in words that a customer may be told."""

from typing import cast, get_args

from nodes.case.check_evidence import NEVER_HAPPENED
from nodes.wording.parts import DECLINED
from tools.billing.declines import DeclineReason
from tools.ledger.types import ActionEvent


def reason_of(events: list[ActionEvent]) -> str:
    """Of the last event, where the ledger has what Stripe said."""
    said = events[-1].reason
    if said == NEVER_HAPPENED:
        return "the payment provider never confirmed it"
    return DECLINED[cast("DeclineReason", said if said in get_args(DeclineReason) else "declined")]
