"""The rules of what can be done to an invoice."""

from typing import Self

from pydantic import model_validator

from tools.policy.common import Always, Bound, ChangesADay, Disputed, InOrOut, Limit, WithinWhatIsLeft
from tools.policy.rule import Asked, Count, Rule, Said, Section
from tools.policy.types import Outcome


class CreditNoteRules(Section):
    disputed: Disputed
    over_creditable: WithinWhatIsLeft
    by_a_person: Always


class Instalments(InOrOut):
    fewest: Count
    most: Count

    @model_validator(mode="after")
    def in_order(self) -> Self:
        if not 2 <= self.fewest <= self.most:
            raise ValueError("fewest has to be 2 or more, and no more than most")
        return self

    def says(self, asked: Asked) -> Said:
        parts = asked.request.instalments
        if asked.request.amount.amount <= 0:
            return Said(self.outside, "The invoice has nothing left to pay.")
        if parts is None or not self.fewest <= parts <= self.most:
            return Said(self.outside, f"A payment plan has {self.fewest} to {self.most} instalments.")
        return Said(self.inside, f"{parts} instalments are within {self.fewest} to {self.most}.")


class PlansAtATime(Bound):
    most: Count

    def says(self, asked: Asked) -> Said:
        running = asked.request.plans_running
        if running >= self.most:
            return Said(self.above, "Another payment plan is still running.")
        return Said(None, f"{running} payment plans are running.")


class PaymentPlanRules(Section):
    disputed: Disputed
    instalments: Instalments
    one_at_a_time: PlansAtATime
    automatic_limit: Limit


class AsPlanned(InOrOut):
    def says(self, asked: Asked) -> Said:
        if asked.request.amount.amount <= 0:
            return Said(self.outside, "There is nothing to pay.")
        if asked.request.planned:
            return Said(self.inside, "The instalment stands so in the plan that the customer agreed to.")
        return Said(self.outside, "No plan that the customer agreed to has this instalment.")


class InstalmentRules(Section):
    disputed: Disputed
    as_planned: AsPlanned


class Extension(InOrOut):
    most_days: Count

    def says(self, asked: Asked) -> Said:
        days = asked.request.extension_days
        if asked.request.amount.amount <= 0:
            return Said(self.outside, "The invoice has nothing left to pay.")
        if days is None or not 0 < days <= self.most_days:
            return Said(self.outside, f"A due date can be moved by 1 to {self.most_days} days.")
        return Said(self.inside, f"A person decides whether a due date is moved by {days} days.")


class OnlyOnce(Rule):
    outcome: Outcome

    def says(self, asked: Asked) -> Said:
        if asked.request.extended_before:
            return Said(self.outcome, "The due date of this invoice was moved already.")
        return Said(None, "The due date of this invoice was not moved before.")


class ExtensionRules(Section):
    disputed: Disputed
    once: OnlyOnce
    days: Extension


class ResendRules(Section):
    at_request: Always
    daily_count: ChangesADay
