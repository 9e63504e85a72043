"""Why an instalment was declined, in words that a customer may be told."""

from typing import cast, get_args

from nodes.wording.parts import DECLINED
from tools.billing.declines import DeclineReason
from tools.ledger.types import ActionEvent


def reason_of(events: list[ActionEvent]) -> str:
    """Of the last event, where the ledger has what Stripe said."""
    said = events[-1].reason
    return DECLINED[cast("DeclineReason", said if said in get_args(DeclineReason) else "declined")]
