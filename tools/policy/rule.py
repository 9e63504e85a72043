"""What a rule is: a name, the section of the policy documents that says it, and what it says about a request."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tools.policy.types import ActionRequest, Outcome

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
RuleId = Annotated[str, StringConstraints(pattern=r"^[a-z_]+\.[a-z0-9]+(-[a-z0-9]+)*$")]
Sentence = Annotated[str, StringConstraints(pattern=r"^[A-Z].*\.$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[a-z]{3}$")]
MinorUnits = Annotated[int, Field(strict=True, ge=0)]
Count = Annotated[int, Field(strict=True, ge=0)]

STRICTNESS: dict[Outcome, int] = {"auto": 0, "needs_approval": 1, "deny": 2}


@dataclass(frozen=True, kw_only=True)
class Asked:
    request: ActionRequest
    at: datetime

    @property
    def age(self) -> timedelta:
        """Of the charge. A time without a zone is UTC, as all of Stripe's are."""
        return _utc(self.at) - _utc(self.request.charged_at)


@dataclass(frozen=True)
class Said:
    outcome: Outcome | None
    """None: nothing to say."""
    because: str
    """For people, customers among them."""


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(Strict):
    """The fields are its settings in `rules.yaml`, the class is what it does with them."""

    id: RuleId
    document: Slug
    anchor: Slug

    def applies(self, _asked: Asked) -> bool:
        """A rule that does not apply is left out of the trace."""
        return True

    @abstractmethod
    def says(self, asked: Asked) -> Said:
        """Never raises, whatever is asked."""


class Section(Strict):
    """The rules of one kind of action, heard in the order in which they are declared."""

    def rules(self) -> Iterator[Rule]:
        yield from (rule for _, rule in self if isinstance(rule, Rule))


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
