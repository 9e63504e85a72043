"""Splitting what is left to pay."""

from datetime import date, timedelta

from tools.errors import Unprocessable
from tools.money import THREE_DECIMAL, Money

# Sent with two decimals, but Stripe takes whole units only.
_WHOLE_UNITS = frozenset({"isk", "ugx"})


def instalments(remaining: Money, parts: int, start: date, every_days: int = 30) -> tuple[tuple[date, Money], ...]:
    """Equal parts in amounts that Stripe accepts; the last absorbs the rounding, so the sum is exact."""
    step = smallest_step(remaining.currency)
    each = remaining.amount // parts // step * step if parts > 0 else 0
    if each <= 0:
        raise Unprocessable(f"{remaining.text()} cannot be split into {parts} parts.")
    last = remaining.amount - each * (parts - 1)
    dates = (start + timedelta(days=every_days * part) for part in range(parts))
    amounts = [each] * (parts - 1) + [last]
    return tuple((due, Money(amount, remaining.currency)) for due, amount in zip(dates, amounts, strict=True))


def smallest_step(currency: str) -> int:
    """Three-decimal amounts must end in zero: https://docs.stripe.com/currencies#three-decimal."""
    if currency in _WHOLE_UNITS:
        return 100
    return 10 if currency in THREE_DECIMAL else 1
