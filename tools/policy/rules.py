"""The shape of `rules.yaml`. A file that does not fit is refused at start, with the field named."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import StringConstraints, TypeAdapter, model_validator

from tools.policy.approval import ApprovalRules, AutomaticRules
from tools.policy.breaker import BreakerRules
from tools.policy.customers import DetailsRules, LinkRules
from tools.policy.files import read
from tools.policy.invoices import CreditNoteRules, ExtensionRules, InstalmentRules, PaymentPlanRules, ResendRules
from tools.policy.refunds import RefundRules
from tools.policy.rule import Rule, Section, Strict
from tools.policy.subscriptions import CancelRules, ChangeRules, PauseRules, ResumeRules, UndoRules
from tools.policy.types import ActionKind

PACKAGED = Path(__file__).with_name("rules.yaml")


class Rules(Strict):
    """A section for each kind of action, under its name, and what holds for all kinds."""

    version: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}([.-][a-z0-9]+)?$")]
    refund: RefundRules
    credit_note: CreditNoteRules
    payment_plan: PaymentPlanRules
    instalment: InstalmentRules
    extend_due_date: ExtensionRules
    resend_invoice: ResendRules
    cancel_subscription: CancelRules
    undo_cancel: UndoRules
    pause_subscription: PauseRules
    resume_subscription: ResumeRules
    change_subscription: ChangeRules
    change_billing_details: DetailsRules
    payment_method_link: LinkRules
    approval: ApprovalRules
    automatic: AutomaticRules
    breaker: BreakerRules

    @model_validator(mode="after")
    def ids_are_unique(self) -> Self:
        ids = [rule.id for rule in self.cited()]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"rule ids are used twice: {', '.join(twice)}")
        return self

    def cited(self) -> Iterator[Rule]:
        for _, section in self:
            if isinstance(section, Section):
                yield from section.rules()

    def of(self, kind: ActionKind) -> Iterator[Rule]:
        """What is heard about a request of this kind: its own rules, then those that hold for all."""
        own: Section = getattr(self, kind)
        for section in (own, self.approval, self.automatic):
            yield from section.rules()


def load_rules(path: Path | None = None) -> Rules:
    """Raises `ConfigurationError` naming the file and the first field that does not fit."""
    return read(path or PACKAGED, "The policy file", TypeAdapter(Rules))
