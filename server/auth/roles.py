"""The role of a staff member, wherever the company's login writes it."""

from typing import Any

from server.auth.principal import RANKED, StaffRole


def role_in(claims: dict[str, Any], path: str) -> StaffRole | None:
    """The highest role that we know at `path`, a string or a list. None: they are not staff of ours."""
    value = claim_at(claims, path)
    named = value if isinstance(value, list) else [value]
    return next((role for role in reversed(RANKED) if role in named), None)


def claim_at(claims: dict[str, Any], path: str) -> Any:
    """`realm_access.roles` is a claim within a claim; one of just that name (`https://acme.com/roles`) comes first."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
