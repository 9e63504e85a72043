"""The only writes to Stripe. Nothing is looked up before: the caller reads again before it acts."""

from tools.billing.moves_customers import CustomerMoves
from tools.billing.moves_invoices import InvoiceMoves
from tools.billing.moves_money import MoneyMoves
from tools.billing.moves_plans import PlanMoves


class StripeMover(MoneyMoves, InvoiceMoves, PlanMoves, CustomerMoves):
    """A `MoneyMover`. Repeats are safe for a day: Stripe answers the same key with the same result."""
