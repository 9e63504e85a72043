"""Deny by default: a route without a guard among its dependencies does not start."""

from collections.abc import Iterator

from fastapi import FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from server.auth import Rule
from server.auth.rules import rule_of
from tools.errors import ConfigurationError

BARE = frozenset({"/openapi.json", "/static"})
"""What is served by no route of ours, and to anybody: the API's description, and the page's files."""
SHARED = frozenset({"assistant"})
"""Parameters in a path that name something which belongs to nobody."""


def refuse_undeclared(app: FastAPI) -> None:
    """Raises `ConfigurationError` for the first route that nobody guards."""
    for route in iter_route_contexts(app.routes):
        if route.path in BARE and not isinstance(route.original_route, APIRoute):
            continue
        rule = rule_of(route.dependant) if isinstance(route.original_route, APIRoute) else None
        if rule is None:
            raise ConfigurationError(
                f"{_called(route)} says not who may call it: give it a dependency of server/auth/guards.py."
            )
        if rule < Rule.OWNER and (names := _names(route) - SHARED):
            raise ConfigurationError(
                f"{_called(route)} says not whose {', '.join(sorted(names))} it is: "
                "give it a dependency that finds what is the caller's own, marked with Rule.OWNER."
            )


def rules_of(app: FastAPI) -> dict[tuple[str, str], Rule]:
    """By method and path, for whoever wants to know."""
    return dict(_rules(app))


def _rules(app: FastAPI) -> Iterator[tuple[tuple[str, str], Rule]]:
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, APIRoute) and (rule := rule_of(route.dependant)):
            for method in route.methods or ():
                yield (method, str(route.path)), rule


def _names(route: RouteContext) -> set[str]:
    return set(route.param_convertors)


def _called(route: RouteContext) -> str:
    return f"{'/'.join(sorted(route.methods or {'any'}))} {route.path}"
