"""Which goal is resolved by what. A new goal is a row here."""

from nodes.resolving import account, changing, charges, invoices, plans, standing, stopping
from nodes.resolving.matter import Resolver

RESOLVERS: dict[str, Resolver] = {
    "list_invoices": invoices.list_invoices,
    "invoice_pdf": invoices.invoice_pdf,
    "explain_amount_change": invoices.explain_amount_change,
    "upcoming_invoice": standing.upcoming_invoice,
    "explain_charge": charges.explain_charge,
    "duplicate_charge": charges.duplicate_charge,
    "refund_request": charges.refund_request,
    "refund_status": standing.refund_status,
    "subscription_status": standing.subscription_status,
    "credit_balance": standing.credit_balance,
    "payment_failed": invoices.payment_failed,
    "cancel_subscription": stopping.cancel_subscription,
    "undo_cancel": stopping.undo_cancel,
    "pause_subscription": stopping.pause_subscription,
    "change_plan": changing.change_plan,
    "payment_plan": plans.payment_plan,
    "extend_due_date": plans.extend_due_date,
    "resend_invoice": invoices.resend_invoice,
    "charged_after_cancel": charges.charged_after_cancel,
    "update_payment_method": account.update_payment_method,
    "change_billing_details": account.change_billing_details,
}
