"""Why an instalment was declined, in words that a customer may be told."""

from typing import cast, get_args

from nodes.resolving.explaining import DECLINED
from tools.billing.declines import DeclineReason
from tools.ledger.types import ActionEvent

NO_METHOD = "there is no card or account saved to charge"


def reason_of(events: list[ActionEvent]) -> str:
    """Of the last event, where the ledger has what Stripe said."""
    said = events[-1].reason
    if said == "no_payment_method":
        return NO_METHOD
    return DECLINED[cast("DeclineReason", said if said in get_args(DeclineReason) else "declined")]
