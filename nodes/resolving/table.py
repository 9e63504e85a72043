"""Which goal is resolved by what. A new goal is a row here."""

from nodes.resolving import charges, invoices, plans, standing
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
    "cancel_subscription": standing.cancel_subscription,
    "payment_plan": plans.payment_plan,
    "charged_after_cancel": charges.charged_after_cancel,
    "undo_cancel": standing.offer_person,
    "pause_subscription": standing.offer_person,
    "change_plan": standing.offer_person,
    "extend_due_date": standing.offer_person,
    "update_payment_method": standing.offer_person,
    "change_billing_details": standing.offer_person,
}
