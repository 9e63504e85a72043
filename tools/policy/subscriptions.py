"""The rules of what can be done to a subscription."""

from typing import Self

from pydantic import model_validator

from tools.policy.common import Always, InOrOut, Limit
from tools.policy.rule import Asked, Count, Rule, Said, Section
from tools.policy.types import Outcome


class CancelRules(Section):
    at_period_end: Always


class UndoRules(Section):
    before_the_end: Always


class ResumeRules(Section):
    at_request: Always


class MonthlyOnly(Rule):
    outcome: Outcome

    def says(self, asked: Asked) -> Said:
        if asked.request.interval != "month":
            return Said(self.outcome, "Only a plan that is paid monthly can be paused.")
        return Said(None, "The plan is paid monthly.")


class PauseMonths(InOrOut):
    fewest: Count
    most: Count

    @model_validator(mode="after")
    def in_order(self) -> Self:
        if not 1 <= self.fewest <= self.most:
            raise ValueError("fewest has to be 1 or more, and no more than most")
        return self

    def says(self, asked: Asked) -> Said:
        months = asked.request.pause_months
        if months is None or not self.fewest <= months <= self.most:
            return Said(self.outside, f"A plan can be paused for {self.fewest} to {self.most} months.")
        return Said(self.inside, f"A pause of {months} months is within {self.fewest} to {self.most}.")


class PauseRules(Section):
    monthly_only: MonthlyOnly
    months: PauseMonths


class Upgrade(Rule):
    """Costs more from now on, or has more seats."""

    outcome: Outcome

    def applies(self, asked: Asked) -> bool:
        return asked.request.upgrade is True

    def says(self, _asked: Asked) -> Said:
        return Said(self.outcome, "An upgrade takes effect at once.")


class Downgrade(Rule):
    """Stripe would do it at once, the documents promise the end of the paid period. Not known counts as one."""

    outcome: Outcome

    def applies(self, asked: Asked) -> bool:
        return asked.request.upgrade is not True

    def says(self, asked: Asked) -> Said:
        if asked.request.upgrade is None:
            return Said(self.outcome, "It is not certain that the change costs more, so a person looks at it.")
        return Said(self.outcome, "A smaller plan starts when the paid period ends, which a person arranges.")


class ChangeRules(Section):
    upgrade: Upgrade
    downgrade: Downgrade
    automatic_limit: Limit
