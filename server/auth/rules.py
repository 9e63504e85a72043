"""Who may call a route, as the guards among its dependencies say it. `server/access.py` reads it from there."""

from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Any, TypeVar

from fastapi.dependencies.models import Dependant

Guard = TypeVar("Guard", bound=Callable[..., Any])


class Rule(IntEnum):
    """From the widest to the narrowest: the narrowest of a route's guards is its rule."""

    OPEN = 1
    """Anybody, without a token."""
    SIGNED = 2
    """Whoever can sign it: Stripe."""
    DEMO = 3
    """Anybody, and in demo mode alone; else it is not there."""
    CALLER = 4
    """A customer or staff, each with what is theirs to see."""
    CUSTOMER = 5
    """A customer, for themselves."""
    OWNER = 6
    """The customer whose it is; staff where it is about reading or answering. Nobody else learns that it is there."""
    METRICS = 7
    """A supervisor, an admin, or a machine with the scope `metrics`."""
    DESK = 8
    """Staff; to read, a machine with the scope `desk:read`, too."""
    STAFF = 9
    SUPERVISOR = 10
    """A supervisor or an admin."""


def guards(rule: Rule) -> Callable[[Guard], Guard]:
    """Marks a dependency that lets through nobody but those of the rule."""

    def mark(guard: Guard) -> Guard:
        guard.__dict__["rule"] = rule
        return guard

    return mark


def rule_of(dependant: Dependant) -> Rule | None:
    """None: no guard is among the dependencies, however deep."""
    return max(_rules(dependant), default=None)


def _rules(dependant: Dependant) -> Iterator[Rule]:
    rule = getattr(dependant.call, "rule", None)
    if isinstance(rule, Rule):
        yield rule
    for inner in dependant.dependencies:
        yield from _rules(inner)
