"""The rules of a refund."""

from datetime import timedelta
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from tools.policy.common import Always, Bound, DailyCount, Disputed, InOrOut, Limit, WithinWhatIsLeft
from tools.policy.rule import Asked, Count, Said, Section
from tools.policy.types import Ground

Days = Annotated[int, Field(strict=True, ge=0, le=3650)]
Span = Literal["day", "week", "month", "year", "one_off"]

IN_TIME: frozenset[Ground] = frozenset({"within_window", "customer_request"})
"""Grounds that hold only for so many days; every other has a rule of its own."""


class ForGround(Always):
    """Applies to one ground alone, whatever the age of the charge."""

    ground: Ground

    def applies(self, asked: Asked) -> bool:
        return asked.request.ground == self.ground


class Window(InOrOut):
    """Days from the charge, by billing interval. An interval that is missing is for a person."""

    days: dict[Span, Days] = Field(min_length=1)

    def applies(self, asked: Asked) -> bool:
        return asked.request.ground in IN_TIME and asked.request.interval != "year"

    def says(self, asked: Asked) -> Said:
        days = self.days.get(asked.request.interval or "one_off")
        if days is None:
            return Said("needs_approval", "No refund window is set for this billing interval.")
        if asked.age <= timedelta(days=days):
            return Said(self.inside, f"The charge is no more than {days} days old.")
        return Said(self.outside, f"The charge is more than {days} days old.")


class AnnualWindow(Window):
    """Apart, because another document says it."""

    def applies(self, asked: Asked) -> bool:
        return asked.request.ground in IN_TIME and asked.request.interval == "year"


class Frequency(Bound):
    automatic_in_12_months: Count
    exempt: tuple[Ground, ...] = ()

    def says(self, asked: Asked) -> Said:
        if asked.request.ground in self.exempt:
            return Said(None, "Refunds of our own mistakes are not counted.")
        count = asked.request.refunds_last_year
        because = f"There were {count} refunds in the last 12 months."
        return Said(self.above if count >= self.automatic_in_12_months else None, because)


class DailyLimit(Limit):
    """This refund and those of the last 24 hours together."""

    def says(self, asked: Asked) -> Said:
        amount, earlier = asked.request.amount, asked.request.refunded_last_day
        if earlier and earlier.currency != amount.currency:
            return Said(self.above, "Another refund of the last day was in a different currency.")
        return self.weigh(amount + earlier if earlier else amount, "in one day ")


class RefundsADay(DailyCount):
    """Of our own mistakes too: three of them in a day are a sign that something else is wrong."""

    what: ClassVar[str] = "other refunds"

    def count(self, asked: Asked) -> int:
        return asked.request.refunds_last_day


class RefundRules(Section):
    disputed: Disputed
    over_refundable: WithinWhatIsLeft
    duplicate: ForGround
    charged_after_cancel: ForGround
    goodwill: ForGround
    billing_error: ForGround
    window: Window
    annual_window: AnnualWindow
    automatic_limit: Limit
    frequency: Frequency
    daily_limit: DailyLimit
    daily_count: RefundsADay

    @model_validator(mode="after")
    def every_ground_has_a_rule(self) -> Self:
        ruled = [rule.ground for rule in self.rules() if isinstance(rule, ForGround)]
        if missing := sorted(set(get_args(Ground)) - IN_TIME - set(ruled)):
            raise ValueError(f"no rule is for the ground {', '.join(missing)}")
        return self
