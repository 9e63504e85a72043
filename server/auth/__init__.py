"""Who is calling: customers by a session, staff by their company's login, machines by a key.

`guards` has the dependencies of the routes, `tokens` and `service_keys` say whose a token or key is, `issuer` and
`published_keys` verify what others signed.
"""

from server.auth.guards import (
    Caller,
    CurrentAgent,
    CurrentCustomer,
    CurrentSupervisor,
    anybody,
    at_the_desk,
    customers_only,
    demo_only,
    in_charge,
    metrics_readers,
    staff_only,
    verified,
)
from server.auth.principal import IN_CHARGE, STAFF_ROLES, Principal, Role, StaffRole
from server.auth.rules import Rule, guards
from server.auth.tokens import CUSTOMER, STAFF, Tokens

__all__ = [
    "CUSTOMER",
    "IN_CHARGE",
    "STAFF",
    "STAFF_ROLES",
    "Caller",
    "CurrentAgent",
    "CurrentCustomer",
    "CurrentSupervisor",
    "Principal",
    "Role",
    "Rule",
    "StaffRole",
    "Tokens",
    "anybody",
    "at_the_desk",
    "customers_only",
    "demo_only",
    "guards",
    "in_charge",
    "metrics_readers",
    "staff_only",
    "verified",
]
