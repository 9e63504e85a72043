"""Which kind of action is spoken of by what. A new kind is a row here."""

from nodes.wording import account, invoices, refunds, subscriptions
from nodes.wording.wording import Wording
from tools.policy.types import ActionKind

WORDINGS: dict[ActionKind, Wording] = {
    "refund": refunds.REFUND,
    "credit_note": refunds.CREDIT_NOTE,
    "payment_plan": invoices.PAYMENT_PLAN,
    "instalment": invoices.INSTALMENT,
    "extend_due_date": invoices.EXTENSION,
    "resend_invoice": invoices.RESEND,
    "cancel_subscription": subscriptions.CANCEL,
    "undo_cancel": subscriptions.UNDO_CANCEL,
    "pause_subscription": subscriptions.PAUSE,
    "resume_subscription": subscriptions.RESUME,
    "change_subscription": subscriptions.CHANGE,
    "change_billing_details": account.BILLING_DETAILS,
    "payment_method_link": account.PAYMENT_METHOD_LINK,
}
