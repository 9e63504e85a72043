"""What an invoice sold: its lines added up by product."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from tools.billing.types import InvoiceLine

# Stripe writes quantity, price and whether it is free into the line's text: "3 × Team seat (at $12.00 / month)".
_TRIAL = re.compile(r"^Trial period for ")
_REMAINING = re.compile(r"^Remaining time on ")
_COUNTED = re.compile(r"^\d[\d,.]* × ")
_PRICED = re.compile(r" \(at [^()]* / [^()]*\)( after \d.*)?$")

SHORTEST_MONTH = Fraction(28, 31)
"""Of two lengths, the shorter over the longer: a little less is still the same number of months."""


@dataclass(frozen=True, kw_only=True)
class Sold:
    """All lines of one product on an invoice."""

    name: str
    amount: int
    quantity: int
    trial: bool
    lasts: timedelta

    @property
    def days(self) -> int:
        return round(self.lasts / timedelta(days=1))

    def lasts_as_long_as(self, other: "Sold") -> bool:
        """Months are of several lengths; of one-off items, which last no time, nothing is said."""
        shorter, longer = sorted((self.days, other.days))
        return shorter == 0 or Fraction(shorter, longer) >= SHORTEST_MONTH


def sold(lines: Iterable[InvoiceLine]) -> dict[str, Sold]:
    """By product, else by name; credits apart: one must not net out against the product itself."""
    found: dict[str, Sold] = {}
    for line in lines:
        name = name_of(line)
        key = f"{'-' if line.amount.amount < 0 else '+'}{line.product or name}"
        earlier = found.get(key)
        found[key] = Sold(
            name=earlier.name if earlier else name,
            amount=line.amount.amount + (earlier.amount if earlier else 0),
            quantity=line.quantity + (earlier.quantity if earlier else 0),
            trial=bool(_TRIAL.match(line.description)) and not line.amount and (earlier is None or earlier.trial),
            lasts=max(line.period_end - line.period_start, earlier.lasts if earlier else timedelta(0)),
        )
    return found


def name_of(line: InvoiceLine) -> str:
    text = _REMAINING.sub("", _TRIAL.sub("", line.description))
    return _PRICED.sub("", _COUNTED.sub("", text)) or "Item"
