"""A caller whose token or key verified."""

from dataclasses import dataclass
from typing import Literal, get_args

from tools.ledger.service_keys import Scope

StaffRole = Literal["agent", "supervisor", "admin"]
Role = Literal["customer", "service"] | StaffRole
RANKED: tuple[StaffRole, ...] = get_args(StaffRole)
"""From the least to the most that one may do."""
STAFF_ROLES = frozenset(RANKED)
IN_CHARGE = frozenset({"supervisor", "admin"})


@dataclass(frozen=True, kw_only=True)
class Principal:
    """`email` is set when the host site vouched for it; `scopes` is what a machine may do, and empty for people."""

    id: str
    role: Role
    name: str
    email: str | None = None
    scopes: frozenset[Scope] = frozenset()

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF_ROLES

    @property
    def is_service(self) -> bool:
        return self.role == "service"
