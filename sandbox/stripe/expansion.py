"""`expand[]=payments.data.payment.payment_intent`: opens references in an answer, up to four levels deep."""

from typing import Any

from sandbox.stripe.errors import Json, StripeFailure, ValidationFailure
from sandbox.stripe.resource import Registry, Resource
from sandbox.stripe.world import World

DEEPEST = 4


def check_depth(paths: list[str]) -> None:
    if any(path.count(".") >= DEEPEST for path in paths):
        message = f"You cannot expand more than {DEEPEST} levels of a property"
        raise ValidationFailure(message, param="expand")


class Expansion:
    """One dotted path, opened in place."""

    def __init__(self, registry: Registry, world: World, path: str) -> None:
        self.registry, self.world, self.path = registry, world, path

    def apply(self, answer: Json) -> None:
        self._open(answer, self.path.split("."))

    def _open(self, node: Json, steps: list[str]) -> None:
        kind = node.get("object")
        if kind in ("list", "search_result"):
            self._open_items(node, steps)
            return
        # An event's data has an object under this name.
        resource = self.registry.resources.get(kind) if isinstance(kind, str) else None
        if resource and steps[0] in resource.included:
            node.setdefault(steps[0], self._included(resource, node, steps[0]))
            if len(steps) > 1 and not isinstance(node[steps[0]], dict):
                raise self._refused()
        elif resource and (reference := _reference(resource, steps)):
            self._open_reference(node, reference, resource.references[reference], steps)
            return
        elif len(steps) == 1 or not isinstance(node.get(steps[0]), dict):
            raise self._refused()
        if len(steps) > 1:
            self._open(node[steps[0]], steps[1:])

    def _open_items(self, node: Json, steps: list[str]) -> None:
        if steps[0] != "data":
            raise self._refused(f" You may want to try expanding 'data.{self.path}' instead.")
        for item in node["data"] if len(steps) > 1 else ():
            self._open(item, steps[1:])

    def _included(self, resource: Resource, node: Json, name: str) -> Any:
        value = resource.included[name](self.world, node)
        return self.registry.show(self.world, value) if isinstance(value, dict) else value

    def _open_reference(self, node: Json, reference: str, kind: str, steps: list[str]) -> None:
        """Where the way leads through a list, or the reference is a list of ids, every one is opened."""
        *way, last = reference.split(".")
        for holder in _holders(node, way):
            value = holder.get(last)
            if isinstance(value, list):
                holder[last] = [self._opened(kind, each, steps[len(way) + 1 :]) for each in value]
            elif value is not None:
                holder[last] = self._opened(kind, value, steps[len(way) + 1 :])

    def _opened(self, kind: str, value: Any, rest: list[str]) -> Any:
        if isinstance(value, str) and (found := self.world.find(kind, value)):
            value = self.registry.show(self.world, found)
        if rest and isinstance(value, dict):
            self._open(value, rest)
        return value

    def _refused(self, advice: str = "") -> StripeFailure:
        return StripeFailure(f"This property cannot be expanded ({self.path}).{advice}", param="expand")


def _holders(node: Json, way: list[str]) -> list[Json]:
    holders = [node]
    for step in way:
        values = [holder.get(step) for holder in holders]
        flat = [each for value in values for each in (value if isinstance(value, list) else [value])]
        holders = [each for each in flat if isinstance(each, dict)]
    return holders


def _reference(resource: Resource, steps: list[str]) -> str | None:
    """The reference that the steps begin with: `payment.payment_intent` of `payment.payment_intent.latest_charge`."""
    return next((name for name in resource.references if name.split(".") == steps[: name.count(".") + 1]), None)
