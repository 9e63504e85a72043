"""Who has to approve what needs a person, for how long they may take, and what one person may approve."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from tools.money import Money
from tools.policy.common import Always, Limits
from tools.policy.rule import Asked, Section, Strict
from tools.policy.types import ActionKind, ActionRequest

Hours = Annotated[int, Field(strict=True, ge=1, le=24 * 60)]


class Guard(Always):
    """What no edit of the file can turn off: it is stricter than `auto` whenever it speaks."""

    outcome: Literal["needs_approval", "deny"]


class ByColleague(Guard):
    """Somebody of the desk proposed it: a second person looks before money moves."""

    kinds: frozenset[ActionKind]

    def applies(self, asked: Asked) -> bool:
        return asked.request.by_staff and asked.request.kind in self.kinds


class Stopped(Guard):
    """The kill switch is off."""

    def applies(self, asked: Asked) -> bool:
        return not asked.request.automatic


class TwoPeople(Strict):
    """Above these amounts, and in a currency that is not among them, two different people have to approve."""

    kinds: frozenset[ActionKind]
    above: Limits = Field(min_length=1)

    def needed(self, amount: Money) -> bool:
        limit = self.above.get(amount.currency)
        return limit is None or amount.amount > limit


class Powers(Strict):
    """What one person of a role may approve."""

    each: Limits | None = None
    """The largest amount; a currency that is missing is not theirs to approve. None: any amount."""
    a_day: Limits | None = None
    """In 24 hours together. None, or a currency that is missing: no bound by the day."""

    def refuse(self, amount: Money, approved: Money | None) -> str | None:
        return self._too_much(amount) or self._too_much_in_a_day(amount, approved)

    def _too_much(self, amount: Money) -> str | None:
        if self.each is None:
            return None
        limit = self.each.get(amount.currency)
        if limit is None:
            return f"You have no limit for {amount.currency.upper()}. Ask a supervisor to approve this."
        if amount.amount > limit:
            most = Money(limit, amount.currency).text()
            return f"{amount.text()} is above the {most} that you may approve. Ask a supervisor to approve this."
        return None

    def _too_much_in_a_day(self, amount: Money, approved: Money | None) -> str | None:
        limit = (self.a_day or {}).get(amount.currency)
        total = amount.amount + (approved.amount if approved else 0)
        if limit is None or total <= limit:
            return None
        together, most = Money(total, amount.currency).text(), Money(limit, amount.currency).text()
        return f"With this you would approve {together} in 24 hours, and {most} is the most. Ask somebody else."


class Roles(Strict):
    """As `server/auth.py` names them; who is none of these may approve nothing."""

    agent: Powers
    supervisor: Powers
    admin: Powers

    def of(self, role: str) -> Powers | None:
        return next((powers for name, powers in self if name == role), None)


class ApprovalRules(Section):
    proposal_hours: Hours
    approval_hours: Hours
    proposed_by_colleague: ByColleague
    two_people: TwoPeople
    amount_counts_for: frozenset[ActionKind]
    """Of the others the amount is a mere price: nobody gets or pays it by an approval."""
    roles: Roles

    @property
    def proposal_lasts(self) -> timedelta:
        return timedelta(hours=self.proposal_hours)

    @property
    def approval_lasts(self) -> timedelta:
        return timedelta(hours=self.approval_hours)

    def people(self, asked: ActionRequest | Money) -> int:
        """1 or 2. An amount alone counts as money that we give away."""
        if isinstance(asked, Money):
            return 1 + self.two_people.needed(asked)
        return 1 + (asked.kind in self.two_people.kinds and self.two_people.needed(asked.amount))

    def may_approve(
        self, amount: Money, *, role: str, approved_today: Mapping[str, Money], kind: ActionKind | None = None
    ) -> str | None:
        """None: yes. Else a sentence that says why not and what to do. Without a `kind` the amount counts."""
        powers = self.roles.of(role)
        if powers is None:
            return "Only agents, supervisors and admins can approve."
        if kind is not None and kind not in self.amount_counts_for:
            return None
        return powers.refuse(amount, approved_today.get(amount.currency))


class AutomaticRules(Section):
    stopped: Stopped
