"""What each route may refuse with, derived from its guards and its parameters: the API's description promises no more.

A status that a route cannot answer with would teach clients to handle what never comes, and would hide from the tests
an answer that nobody meant. What follows from neither, a route declares itself.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from server.access import rules_of
from server.auth import Rule
from server.problems import DOCUMENTED

READS = frozenset({"get", "head"})
OPERATIONS = READS | {"post", "put", "patch", "delete"}


def describe(app: FastAPI) -> None:
    """Has the application's OpenAPI document name, for each operation, the refusals that it can answer with."""
    documented = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            rules = rules_of(app)
            for path, item in documented()["paths"].items():
                for method in item.keys() & OPERATIONS:
                    _add_refusals(item[method], method, rules[(method.upper(), path)])
        return documented()

    app.__dict__["openapi"] = openapi


def _add_refusals(operation: dict[str, Any], method: str, rule: Rule) -> None:
    declared: dict[str, Any] = operation["responses"]
    declared.pop("422", None)  # FastAPI's own: here, what is invalid is a problem like any other
    for status in refusals(operation, method, rule):
        declared.setdefault(str(status), DOCUMENTED[status])


def refusals(operation: dict[str, Any], method: str, rule: Rule) -> Iterator[int]:
    """Statuses of 4xx and 5xx, by what the operation takes and who may call it."""
    parameters: list[dict[str, Any]] = operation.get("parameters", [])
    yield from (429, 503)
    if rule >= Rule.CALLER:
        yield from (401, 403)
    if method not in READS:
        yield from (409, 413)
    if "requestBody" in operation or rule is Rule.SIGNED:
        yield 400
    if "requestBody" in operation or parameters:
        yield 422
    if "requestBody" in operation or rule is Rule.DEMO or any(one["in"] == "path" for one in parameters):
        yield 404
