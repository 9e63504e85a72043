"""The graphs, as the Agent Server protocol calls them: assistants."""

from typing import Any

from fastapi import APIRouter, Depends, Response

from server.auth import verified
from server.present import assistant_json
from server.runs.executor import Graph
from server.schemas import AssistantSearch
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
    names = [name for name in services.plugs.graphs if wanted.graph_id in {None, name}]
    response.headers["X-Pagination-Total"] = str(len(names))
    return [assistant_json(name) for name in names[wanted.offset : wanted.offset + wanted.limit]]


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
    name, graph = _find(services, assistant)
    output = graph.get_output_jsonschema()
    return {
        "graph_id": name,
        "input_schema": graph.get_input_jsonschema(),
        "output_schema": output,
        "state_schema": output,
        "config_schema": None,
        "context_schema": None,
    }


def _find(services: Services, wanted: str) -> tuple[str, Graph]:
    for name, graph in services.plugs.graphs.items():
        if wanted in {name, assistant_id(name)}:
            return name, graph
    raise NotFound("There is no such assistant.")
