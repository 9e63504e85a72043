"""Rules that several kinds of action share."""

from abc import abstractmethod
from typing import ClassVar, Self

from pydantic import Field, model_validator

from tools.money import Money
from tools.policy.rule import STRICTNESS, Asked, Count, Currency, MinorUnits, Rule, Said, Sentence
from tools.policy.types import Outcome

Limits = dict[Currency, MinorUnits]


class Always(Rule):
    """One outcome, with the same sentence every time."""

    outcome: Outcome
    because: Sentence

    def says(self, _asked: Asked) -> Said:
        return Said(self.outcome, self.because)


class Disputed(Rule):
    outcome: Outcome

    def says(self, asked: Asked) -> Said:
        if asked.request.disputed:
            return Said(self.outcome, "The payment is disputed with the bank, and the bank decides.")
        return Said(None, "The payment is not disputed.")


class WithinWhatIsLeft(Rule):
    """Of a charge to refund, or of an invoice to credit."""

    outcome: Outcome

    def says(self, asked: Asked) -> Said:
        amount, left = asked.request.amount, asked.request.refundable
        if amount.currency != left.currency:
            return Said(self.outcome, "The amount is not in the currency of what was billed.")
        if amount.amount <= 0:
            return Said(self.outcome, "There is nothing to give back.")
        if amount.amount > left.amount:
            return Said(self.outcome, f"{amount.text()} is more than the {left.text()} that is left.")
        return Said(None, f"{amount.text()} is within the {left.text()} that is left.")


class InOrOut(Rule):
    """One outcome inside of a bound, a stricter one outside."""

    inside: Outcome
    outside: Outcome

    @model_validator(mode="after")
    def outside_is_stricter(self) -> Self:
        if STRICTNESS[self.inside] >= STRICTNESS[self.outside]:
            raise ValueError("outside has to be stricter than inside")
        return self


class Bound(Rule):
    """Silent up to a bound, and strict above it."""

    above: Outcome

    @model_validator(mode="after")
    def above_is_strict(self) -> Self:
        if self.above == "auto":
            raise ValueError("above cannot be auto")
        return self


class Limit(Bound):
    """Amounts in minor units by currency. A currency that is missing is always above."""

    limits: Limits = Field(min_length=1)

    def says(self, asked: Asked) -> Said:
        return self.weigh(asked.request.amount, "")

    def weigh(self, total: Money, when: str) -> Said:
        limit = self.limits.get(total.currency)
        if limit is None:
            return Said(self.above, f"No automatic limit is set for {total.currency.upper()}.")
        side = "above" if total.amount > limit else "within"
        because = f"{total.text()} {when}is {side} the automatic limit of {Money(limit, total.currency).text()}."
        return Said(self.above if side == "above" else None, because)


class DailyCount(Bound):
    """How many times a customer in 24 hours before a person looks."""

    automatic_in_24_hours: Count
    what: ClassVar[str]

    def says(self, asked: Asked) -> Said:
        count = self.count(asked)
        because = f"There were {count} {self.what} in the last 24 hours."
        return Said(self.above if count >= self.automatic_in_24_hours else None, because)

    @abstractmethod
    def count(self, asked: Asked) -> int: ...


class ChangesADay(DailyCount):
    """Of all kinds but refunds together: whoever has taken over a session does not stay with one kind."""

    what: ClassVar[str] = "other changes"

    def count(self, asked: Asked) -> int:
        return asked.request.changes_last_day
