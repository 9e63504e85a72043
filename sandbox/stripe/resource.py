"""A resource is data: where it lives, what it can be asked, what it refers to, and its verbs as routes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.stripe import pages
from sandbox.stripe.errors import Json, no_such
from sandbox.stripe.params import Field, Fields, integer, many, merged_metadata, moment_range, text
from sandbox.stripe.search import Query, SearchFields
from sandbox.stripe.world import World, public


@dataclass(frozen=True)
class Call:
    """One request, past authentication and parameter checks."""

    world: World
    params: Json
    path: str
    ids: Mapping[str, str]

    @property
    def id(self) -> str:
        return self.ids["id"]


Handler = Callable[[Call], Json]
Show = Callable[[World, Json], Json]


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    handler: Handler
    fields: Fields = field(default_factory=dict)


@dataclass(frozen=True)
class Filter:
    """A list parameter. `kind` names what the value must be an existing id of."""

    field: Field
    keep: Callable[[Json, Any], bool] | None = None
    kind: str | None = None


@dataclass(frozen=True, kw_only=True)
class Resource:
    kind: str
    path: str = ""
    """Empty: it lives inside other objects only, or is made by their routes."""
    label: str = ""
    """As errors name it; the kind unless given."""
    references: Mapping[str, str] = field(default_factory=dict)
    """Dotted field to the kind whose id it holds: what `expand` opens."""
    included: Mapping[str, Callable[[World, Json], Any]] = field(default_factory=dict)
    """Fields that are there only when expanded."""
    filters: Mapping[str, Filter] | None = None
    """None: the resource has no list of its own."""
    retrievable: bool = True
    """Whether one can be asked for by its id."""
    dated: bool = True
    """Whether its list takes `created`."""
    hidden: Callable[[Json, Json], bool] = lambda _thing, _params: False
    """Left out of lists unless the parameters ask for it."""
    search: SearchFields | None = None
    routes: tuple[Route, ...] = ()
    show: Show = lambda _world, thing: public(thing)

    def all_routes(self) -> list[Route]:
        """Fixed paths before `{id}`."""
        if not self.path:
            return list(self.routes)
        standard = [Route("GET", self.path + "/{id}", self._retrieve)] if self.retrievable else []
        if self.filters is not None:
            listed = {name: each.field for name, each in self.filters.items()}
            if self.dated:
                listed["created"] = moment_range()
            standard.insert(0, Route("GET", self.path, self._list, PAGE_FIELDS | listed))
        if self.search is not None:
            standard.insert(0, Route("GET", self.path + "/search", self._search, SEARCH_FIELDS))
        return [*self.routes, *standard]

    def _retrieve(self, call: Call) -> Json:
        return call.world.get(self.kind, call.id, label=self.label)

    def _list(self, call: Call) -> Json:
        filters = self.filters or {}
        for name, each in filters.items():
            if each.kind and call.params.get(name):
                call.world.get(each.kind, call.params[name], param=name)
        return pages.page(
            self._candidates(call),
            call.params,
            lambda thing: self._kept(thing, call.params),
            call.path,
            self.label or self.kind,
        )

    def _candidates(self, call: Call) -> Sequence[Json]:
        """Those of one customer, charge and so on where the question names one, else all."""
        cursor = call.world.find(self.kind, call.params.get("starting_after") or call.params.get("ending_before"))
        for name, each in (self.filters or {}).items():
            value = call.params.get(name)
            # A cursor may be an object that the filters leave out.
            if each.kind and each.keep is None and value and (cursor is None or cursor.get(name) == value):
                return call.world.of(self.kind, name, value)
        return call.world.all(self.kind)

    def _kept(self, thing: Json, params: Json) -> bool:
        if self.hidden(thing, params) or not pages.within(
            thing.get("created", thing.get("date")), params.get("created")
        ):
            return False
        asked = ((name, each) for name, each in (self.filters or {}).items() if params.get(name) is not None)
        return all(
            each.keep(thing, params[name]) if each.keep else thing.get(name) == params[name] for name, each in asked
        )

    def _search(self, call: Call) -> Json:
        query = Query.parse(call.params["query"], self.search or {}, self.path.rsplit("/", 1)[-1])
        found = [thing for thing in call.world.findable(self.kind) if not thing.get("deleted") and query.matches(thing)]
        return pages.search_page(found, call.params, call.path)


PAGE_FIELDS: Fields = {
    "limit": integer(least=1, most=100),
    "starting_after": text(),
    "ending_before": text(),
}
SEARCH_FIELDS: Fields = {"query": text(required=True), "limit": integer(least=1, most=100), "page": text()}
EVERYWHERE: Fields = {"expand": many(text())}


class Registry:
    """All resources by kind; knows how to show one and open its references."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.resources = {resource.kind: resource for resource in resources}

    def routes(self) -> list[Route]:
        return [route for resource in self.resources.values() for route in resource.all_routes()]

    def show(self, world: World, thing: Json) -> Json:
        if thing["object"] in {"list", "search_result"}:
            return thing | {"data": [self.show(world, item) for item in thing["data"]]}
        if thing.get("deleted"):
            return {"id": thing["id"], "object": thing["object"], "deleted": True}
        resource = self.resources.get(thing["object"])
        return resource.show(world, thing) if resource else public(thing)


def updater(
    resource_kind: str,
    path: str,
    declared: Fields,
    *,
    event: str | None = None,
    check: Callable[[Call], None] = lambda _call: None,
) -> Route:
    """`POST {path}/{id}` that sets plain fields, merges metadata; `check` may refuse before."""

    def handler(call: Call) -> Json:
        thing = call.world.get(resource_kind, call.id)
        if thing.get("deleted"):
            raise no_such(resource_kind, call.id)
        before = public(thing)
        check(call)
        assign(thing, call.params)
        if event:
            call.world.emit(event, thing, before)
        return thing

    return Route("POST", path + "/{id}", handler, declared)


def assign(thing: Json, params: Json) -> None:
    """Sets the fields that the object has by the same name; metadata is merged."""
    for name, value in params.items():
        if name == "metadata":
            thing["metadata"] = merged_metadata(thing["metadata"] or {}, value)
        elif isinstance(value, dict) and isinstance(thing.get(name), dict):
            thing[name] = thing[name] | value
        elif name in thing:
            thing[name] = value
