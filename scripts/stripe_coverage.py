"""Which calls of the pinned Stripe SDK the sandbox answers, and with how many of their parameters."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import stripe

from sandbox.stripe.resource import EVERYWHERE
from sandbox.stripe.resource import Route as SandboxRoute
from sandbox.stripe.resources import REGISTRY

ROOT = "stripe._v1_services"
# Keys of the SDK's parameter types that travel as headers.
OPTIONS = {"api_key", "stripe_version", "stripe_account", "stripe_context", "max_network_retries", "idempotency_key"}
OPTIONS |= {"content_type", "headers"}
VERBS = {"get": "GET", "post": "POST", "delete": "DELETE"}


@dataclass(frozen=True, order=True)
class SdkCall:
    """One method of the SDK: `credit_notes.line_items.list`, the request it sends, the parameters it can send."""

    name: str
    method: str
    path: str
    parameters: frozenset[str]

    @property
    def group(self) -> str:
        return self.name.partition(".")[0]


def coverage_table() -> str:
    """A section for each group of calls of which the sandbox answers at least one."""
    routes = {(route.method, shape(route.path)): route for route in REGISTRY.routes()}
    groups: dict[str, list[SdkCall]] = {}
    for call in sdk_calls():
        groups.setdefault(call.group, []).append(call)
    known = {name: calls for name, calls in groups.items() if any(_key(call) in routes for call in calls)}
    answered = sum(_key(call) in routes for calls in known.values() for call in calls)
    total = sum(map(len, known.values()))
    head = f"{answered} of the {total} calls on these resources are answered (stripe {stripe.VERSION}, "
    head += f"API version {stripe.api_version})."
    return "\n\n".join([head, *(_section(name, calls, routes) for name, calls in sorted(known.items()))])


def _section(name: str, calls: list[SdkCall], routes: dict[tuple[str, str], SandboxRoute]) -> str:
    rows = [_row(call, routes.get(_key(call))) for call in sorted(calls)]
    head = ["| call | request | parameters taken |", "| --- | --- | --- |"]
    return "\n".join([f"### {name}", "", *head, *rows])


def _row(call: SdkCall, route: SandboxRoute | None) -> str:
    request = f"`{call.method} {call.path}`"
    if route is None:
        return f"| {call.name} | {request} | not simulated |"
    taken = (route.fields | EVERYWHERE).keys() & call.parameters
    missing = sorted(call.parameters - taken)
    left = f"; not {', '.join(missing)}" if missing else ""
    return f"| {call.name} | {request} | {len(taken)} of {len(call.parameters)}{left} |"


def _key(call: SdkCall) -> tuple[str, str]:
    return call.method, shape(call.path)


def shape(path: str) -> str:
    """The path without the names of its ids."""
    return re.sub(r"\{\w+\}", "{}", path)


@cache
def sdk_calls() -> tuple[SdkCall, ...]:
    return tuple(_calls_of(ROOT, ""))


def _calls_of(module: str, prefix: str) -> Iterator[SdkCall]:
    loaded = importlib.import_module(module)
    tree = ast.parse(inspect.getsource(loaded))
    homes = _imported(tree)
    for definition in ast.walk(tree):
        if isinstance(definition, ast.FunctionDef) and (request := _request_in(definition)):
            yield SdkCall(f"{prefix}{definition.name}", *request, _parameters(definition, homes))
    subservices: dict[str, list[str]] = getattr(loaded, "_subservices", {})
    for name, (inner, _class) in subservices.items():
        yield from _calls_of(inner, f"{prefix}{name}.")


def _imported(tree: ast.Module) -> dict[str, str]:
    """Name to the module it comes from, those under `if TYPE_CHECKING:` included."""
    found = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module)
    return {alias.name: node.module or "" for node in found for alias in node.names}


def _request_in(definition: ast.FunctionDef) -> tuple[str, str] | None:
    """Verb and path of the one request that the method sends."""
    for node in ast.walk(definition):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) == "_request":
            verb, path = (_text(argument) for argument in node.args[:2])
            return (VERBS[verb], path) if path.startswith("/v1/") else None
    return None


def _text(node: ast.expr) -> str:
    """A literal, or the template of `"...".format(...)`."""
    return next(part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str))


def _parameters(definition: ast.FunctionDef, homes: dict[str, str]) -> frozenset[str]:
    names = [
        part.value
        for argument in definition.args.args
        if argument.arg == "params" and argument.annotation
        for part in ast.walk(argument.annotation)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]
    types = [getattr(importlib.import_module(homes[name]), name) for name in names]
    return frozenset().union(*(known.__required_keys__ | known.__optional_keys__ for known in types)) - OPTIONS
