"""Which kind of action is done by what. A new kind is a row here."""

from nodes.case.deeds.customers import BillingDetailsDeed, PaymentMethodLinkDeed
from nodes.case.deeds.deed import Deed
from nodes.case.deeds.instalments import InstalmentDeed
from nodes.case.deeds.invoices import CreditNoteDeed, ExtendDueDateDeed, PlanDeed, ResendInvoiceDeed
from nodes.case.deeds.refunds import RefundDeed
from nodes.case.deeds.subscriptions import CancelDeed, ChangeDeed, PauseDeed, ResumeDeed, UndoCancelDeed
from tools.policy.types import ActionKind

DEEDS: dict[ActionKind, Deed] = {
    "refund": RefundDeed(),
    "credit_note": CreditNoteDeed(),
    "payment_plan": PlanDeed(),
    "instalment": InstalmentDeed(),
    "extend_due_date": ExtendDueDateDeed(),
    "resend_invoice": ResendInvoiceDeed(),
    "cancel_subscription": CancelDeed(),
    "undo_cancel": UndoCancelDeed(),
    "pause_subscription": PauseDeed(),
    "resume_subscription": ResumeDeed(),
    "change_subscription": ChangeDeed(),
    "change_billing_details": BillingDetailsDeed(),
    "payment_method_link": PaymentMethodLinkDeed(),
}
