"""Which kind of action is done by what. A new kind is a row here."""

from nodes.case.deeds.deed import Deed
from nodes.case.deeds.instalments import InstalmentDeed
from nodes.case.deeds.invoices import PlanDeed
from nodes.case.deeds.refunds import RefundDeed
from nodes.case.deeds.subscriptions import CancelDeed
from tools.policy.types import ActionKind

DEEDS: dict[ActionKind, Deed] = {
    "refund": RefundDeed(),
    "payment_plan": PlanDeed(),
    "instalment": InstalmentDeed(),
    "cancel_subscription": CancelDeed(),
}
