"""Balance transactions: what charges, refunds and disputes did to the merchant's own balance."""

from sandbox.stripe.errors import Json
from sandbox.stripe.money import share
from sandbox.stripe.params import choice, currency, text
from sandbox.stripe.resource import Filter, Resource
from sandbox.stripe.world import World

TYPES = ("charge", "refund", "refund_failure", "adjustment")
FEE_PER_MILLE, FEE_FIXED = 29, {"usd": 30, "eur": 25, "gbp": 20}
SETTLING_SECONDS = 2 * 86_400


def processing_fee(amount: int, currency: str) -> int:
    return share(amount, FEE_PER_MILLE, 1000) + FEE_FIXED.get(currency, 0)


def record(world: World, kind: str, amount: int, currency: str, source: str, *, fee: int = 0) -> Json:
    """A positive amount came in, a negative one went out."""
    fees = [
        {
            "amount": fee,
            "application": None,
            "currency": currency,
            "description": "Stripe processing fees",
            "type": "stripe_fee",
        }
    ]
    return world.add(
        "balance_transaction",
        "txn",
        amount=amount,
        available_on=world.now() + SETTLING_SECONDS,
        balance_type="payments",
        currency=currency,
        description=None,
        exchange_rate=None,
        fee=fee,
        fee_details=fees if fee else [],
        net=amount - fee,
        reporting_category=kind,
        source=source,
        status="pending",
        type=kind,
    )


def _show(world: World, transaction: Json) -> Json:
    settled = transaction["available_on"] <= world.now()
    return transaction | {"status": "available" if settled else "pending"}


BALANCE_TRANSACTIONS = Resource(
    kind="balance_transaction",
    path="/v1/balance_transactions",
    filters={"currency": Filter(currency()), "source": Filter(text()), "type": Filter(choice(*TYPES))},
    show=_show,
)
