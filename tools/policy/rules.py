"""The shape of `rules.yaml`. A file that does not fit is refused at start, with the field named."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from tools.errors import ConfigurationError
from tools.policy.types import Ground, Outcome

PACKAGED = Path(__file__).with_name("rules.yaml")

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
RuleId = Annotated[str, StringConstraints(pattern=r"^[a-z_]+\.[a-z0-9]+(-[a-z0-9]+)*$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[a-z]{3}$")]
MinorUnits = Annotated[int, Field(strict=True, ge=0)]
Days = Annotated[int, Field(strict=True, ge=0, le=3650)]
Span = Literal["day", "week", "month", "year", "one_off"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Cited(_Strict):
    """A rule with its name and the section of the policy documents that says it."""

    id: RuleId
    document: Slug
    anchor: Slug


class Fixed(Cited):
    """Speaks one outcome whenever it applies."""

    outcome: Outcome


class Window(Cited):
    """Days from the charge, by billing interval."""

    inside: Outcome
    outside: Outcome
    days: dict[Span, Days] = Field(min_length=1)


class Limit(Cited):
    """Amounts in minor units by currency; up to and including the limit the rule is silent."""

    above: Outcome
    limits: dict[Currency, MinorUnits] = Field(min_length=1)


class Frequency(Cited):
    above: Outcome
    automatic_in_12_months: Annotated[int, Field(strict=True, ge=0)]
    exempt: tuple[Ground, ...] = ()


class Instalments(Cited):
    inside: Outcome
    outside: Outcome
    fewest: Annotated[int, Field(strict=True, ge=2)]
    most: Annotated[int, Field(strict=True, ge=2)]

    @model_validator(mode="after")
    def in_order(self) -> Self:
        if self.fewest > self.most:
            raise ValueError("fewest is more than most")
        return self


class RefundRules(_Strict):
    disputed: Fixed
    over_refundable: Fixed
    duplicate: Fixed
    charged_after_cancel: Fixed
    window: Window
    annual_window: Window
    goodwill: Fixed
    automatic_limit: Limit
    frequency: Frequency
    daily_limit: Limit


class CancelRules(_Strict):
    at_period_end: Fixed


class PlanRules(_Strict):
    disputed: Fixed
    instalments: Instalments
    automatic_limit: Limit


class Rules(_Strict):
    version: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}([.-][a-z0-9]+)?$")]
    refund: RefundRules
    cancel_subscription: CancelRules
    payment_plan: PlanRules

    @model_validator(mode="after")
    def ids_are_unique(self) -> Self:
        ids = [rule.id for rule in self.cited()]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"rule ids are used twice: {', '.join(twice)}")
        return self

    def cited(self) -> Iterator[Cited]:
        for section in (self.refund, self.cancel_subscription, self.payment_plan):
            yield from (rule for _, rule in section if isinstance(rule, Cited))


def load_rules(path: Path | None = None) -> Rules:
    """Raises `ConfigurationError` naming the file and the first field that does not fit."""
    file = path or PACKAGED
    try:
        return Rules.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The policy file {file} cannot be read.") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"The policy file {file} is not valid YAML.") from error
    except ValidationError as error:
        raise ConfigurationError(f"The policy file {file} is wrong at {first_fault(error)}") from error


def first_fault(error: ValidationError) -> str:
    """`refund.window.days.month: Input should be a valid integer`, and how many more there are."""
    first, *others = error.errors(include_url=False)
    where = ".".join(str(part) for part in first["loc"]) or "the top level"
    return f"{where}: {first['msg']}" + (f" ({len(others)} more)" if others else "")
