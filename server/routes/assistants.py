"""The graphs, as the Agent Server protocol calls them: assistants."""

from typing import Any

from fastapi import APIRouter, Depends, Response
from langchain_core.runnables import Runnable

from server.auth import verified
from server.present import assistant_json
from server.runs.work import Graph
from server.schemas import AssistantCount, AssistantSearch, AssistantVersions
from server.services import Services, ServicesDep
from server.threads import assistant_id
from tools.errors import NotFound

Json = dict[str, Any]
router = APIRouter(prefix="/assistants", tags=["assistants"], dependencies=[Depends(verified)])


@router.post("/search")
async def search_assistants(
    services: ServicesDep, response: Response, body: AssistantSearch | None = None
) -> list[Json]:
    wanted = body or AssistantSearch()
    found = _matching(services, wanted)
    response.headers["X-Pagination-Total"] = str(len(found))
    return found[wanted.offset : wanted.offset + wanted.limit]


@router.post("/count")
async def count_assistants(services: ServicesDep, body: AssistantCount | None = None) -> int:
    return len(_matching(services, body or AssistantCount()))


@router.get("/{assistant}")
async def get_assistant(assistant: str, services: ServicesDep) -> Json:
    return assistant_json(_find(services, assistant)[0])


@router.get("/{assistant}/graph")
async def get_graph(assistant: str, services: ServicesDep) -> Json:
    _, graph = _find(services, assistant)
    drawn = graph.get_graph().to_json()
    return {"nodes": drawn["nodes"], "edges": drawn["edges"]}


@router.get("/{assistant}/schemas")
async def get_schemas(assistant: str, services: ServicesDep) -> Json:
    """What goes in and what comes out; the state in between and the context are the server's own."""
    return _schemas(*_find(services, assistant))


@router.get("/{assistant}/subgraphs")
async def get_subgraphs(assistant: str, services: ServicesDep) -> Json:
    """By their namespace. A case is no subgraph of the conversation: it is a thread of its own."""
    _, graph = _find(services, assistant)
    return {namespace: _schemas(namespace, inner) for namespace, inner in graph.get_subgraphs()}


@router.post("/{assistant}/versions")
async def get_versions(assistant: str, services: ServicesDep, body: AssistantVersions | None = None) -> list[Json]:
    """The one that is served: graphs change with a release, and no client makes others."""
    wanted = body or AssistantVersions()
    name, _ = _find(services, assistant)
    only = [assistant_json(name)] if _says(assistant_json(name), wanted.metadata) else []
    return only[wanted.offset : wanted.offset + wanted.limit]


def _find(services: Services, wanted: str) -> tuple[str, Graph]:
    for name, graph in services.plugs.graphs.items():
        if wanted in {name, assistant_id(name)}:
            return name, graph
    raise NotFound("There is no such assistant.")


def _schemas(name: str, graph: Runnable[Any, Any]) -> Json:
    output = graph.get_output_jsonschema()
    return {
        "graph_id": name,
        "input_schema": graph.get_input_jsonschema(),
        "output_schema": output,
        "state_schema": output,
        "config_schema": None,
        "context_schema": None,
    }


def _matching(services: Services, wanted: AssistantCount) -> list[Json]:
    found = [assistant_json(name) for name in services.plugs.graphs]
    return [
        one
        for one in found
        if wanted.graph_id in {None, one["graph_id"]}
        and (wanted.name or "").lower() in one["name"]
        and _says(one, wanted.metadata)
    ]


def _says(assistant: Json, metadata: Json | None) -> bool:
    return all(assistant["metadata"].get(key) == value for key, value in (metadata or {}).items())
