"""All resources. Another one is another entry here."""

from sandbox.stripe.resource import Registry
from sandbox.stripe.resources import collecting, invoicing, refunds
from sandbox.stripe.resources.balance import BALANCE_TRANSACTIONS
from sandbox.stripe.resources.catalog import PRICES, PRODUCTS, TAX_RATES
from sandbox.stripe.resources.charges import CHARGES
from sandbox.stripe.resources.coupons import COUPONS
from sandbox.stripe.resources.credit_notes import CREDIT_NOTE_LINES, CREDIT_NOTES
from sandbox.stripe.resources.customers import CUSTOMERS
from sandbox.stripe.resources.discounts import DISCOUNTS
from sandbox.stripe.resources.disputes import DISPUTES
from sandbox.stripe.resources.events import EVENTS
from sandbox.stripe.resources.invoice_items import INVOICE_ITEMS
from sandbox.stripe.resources.invoices import INVOICE_PAYMENTS, INVOICES
from sandbox.stripe.resources.lines import LINE_ITEMS
from sandbox.stripe.resources.payment_intents import PAYMENT_INTENTS
from sandbox.stripe.resources.payment_methods import PAYMENT_METHODS
from sandbox.stripe.resources.payment_records import PAYMENT_RECORDS
from sandbox.stripe.resources.portal import PORTAL_CONFIGURATIONS, PORTAL_SESSIONS
from sandbox.stripe.resources.refunds import REFUNDS
from sandbox.stripe.resources.subscription_items import SUBSCRIPTION_ITEMS
from sandbox.stripe.resources.subscriptions import SUBSCRIPTIONS
from sandbox.stripe.resources.tax_ids import TAX_IDS
from sandbox.stripe.resources.test_clocks import TEST_CLOCKS
from sandbox.stripe.resources.webhook_endpoints import WEBHOOK_ENDPOINTS
from sandbox.stripe.world import World

RESOURCES = (
    CUSTOMERS,
    TAX_IDS,
    PAYMENT_METHODS,
    PRODUCTS,
    PRICES,
    TAX_RATES,
    INVOICES,
    INVOICE_ITEMS,
    INVOICE_PAYMENTS,
    LINE_ITEMS,
    PAYMENT_INTENTS,
    PAYMENT_RECORDS,
    CHARGES,
    REFUNDS,
    CREDIT_NOTES,
    CREDIT_NOTE_LINES,
    COUPONS,
    DISCOUNTS,
    DISPUTES,
    SUBSCRIPTIONS,
    SUBSCRIPTION_ITEMS,
    BALANCE_TRANSACTIONS,
    EVENTS,
    TEST_CLOCKS,
    PORTAL_SESSIONS,
    PORTAL_CONFIGURATIONS,
    WEBHOOK_ENDPOINTS,
)
REGISTRY = Registry(RESOURCES)


def new_world(**settings: object) -> World:
    """An empty world, wired: a paid PaymentIntent pays its invoice, a paid invoice revives its subscription, a
    chargeback fails the refunds that are on their way, a deleted customer is charged no more.
    """
    listeners = {
        "charge.dispute.funds_withdrawn": refunds.fail_disputed,
        "customer.deleted": collecting.leave,
        "invoice.paid": collecting.paid,
        "payment_intent.succeeded": invoicing.settle_intent,
    }
    return World(listeners=listeners, show=REGISTRY.show, **settings)  # type: ignore[arg-type]
