"""The chat page: static files, no build, no script of anybody else."""

from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from server.auth import anybody

STATIC = Path(__file__).parent.parent / "static"

router = APIRouter(include_in_schema=False, dependencies=[Depends(anybody)])


@router.get("/")
async def page() -> FileResponse:
    return FileResponse(STATIC / "chat.html")


def mount_static(app: FastAPI) -> None:
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
