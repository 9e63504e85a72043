"""Which charge the customer means, from what they said of it."""

from datetime import date
from decimal import Decimal
from typing import Any

from tools.billing.types import Charge
from tools.money import Money, exponent

Details = dict[str, Any]


def fitting_charges(charges: list[Charge], details: Details) -> list[Charge]:
    """The charges that nothing said speaks against, the amount apart."""
    return [charge for charge in charges if _fits(charge, details)]


def at_place(charges: list[Charge], details: Details) -> list[Charge]:
    """The one at the place that was named, counting as they were listed; all of them when none was."""
    place = details.get("ordinal")
    if place is None:
        return charges
    index = int(place) - 1 if int(place) > 0 else int(place)
    return charges[index : index + 1 or None]


def named_amount(details: Details, usual: str) -> Money | None:
    """The amount that was named; a bare number counts in the `usual` currency, and so does a sign that may mean it."""
    for amount, currency in details.get("amounts") or ():
        if currency == usual:
            return Money(int(amount), usual)
    if details.get("amount") is not None:
        return Money(int(details["amount"]), str(details.get("currency") or usual))
    if details.get("bare") is None:
        return None
    return Money(int(Decimal(str(details["bare"])).scaleb(exponent(usual))), usual)


def _fits(charge: Charge, details: Details) -> bool:
    day, month = details.get("day"), details.get("month")
    return (
        details.get("invoice_number") in {None, charge.invoice_number}
        and details.get("last4") in {None, charge.card.last4 if charge.card else None}
        and (day is None or charge.created.date() == date.fromisoformat(str(day)))
        and (month is None or charge.created.month == int(month))
    )
