"""Money as integers in minor units, with the exponent that Stripe uses for its currency."""

import re
from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import format_currency

# https://docs.stripe.com/currencies#zero-decimal; ISK and UGX are sent with two decimals all the same.
ZERO_DECIMAL = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
)
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
# CLDR's rule (currencySpacing), which Babel leaves out.
_CODE_BEFORE_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)")


def exponent(currency: str) -> int:
    """Digits after the point in Stripe's minor unit: 0, 2 or 3."""
    code = currency.lower()
    if code in ZERO_DECIMAL:
        return 0
    return 3 if code in THREE_DECIMAL else 2


@dataclass(frozen=True, order=False)
class Money:
    """An amount in minor units (4900 is 49.00 USD) and a lower-case ISO 4217 code."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if self.currency != self.currency.lower():
            object.__setattr__(self, "currency", self.currency.lower())

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.amount).scaleb(-exponent(self.currency))

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other).amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other).amount, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other).amount

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._same(other).amount

    def __bool__(self) -> bool:
        return self.amount != 0

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        return other

    def text(self, locale: str = "en_US") -> str:
        """For people: `$49.00`, `49,00 $`, `¥4,900`, and `KWD 15.250` with a space that does not break."""
        written = format_currency(self.decimal, self.currency.upper(), locale=locale)
        return _CODE_BEFORE_DIGIT.sub("\N{NO-BREAK SPACE}", written)
