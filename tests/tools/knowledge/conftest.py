"""The real model, and a real Chroma in a folder that holds the shipped policies."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date
from pathlib import Path

import pytest

from tools.knowledge.base import Knowledge
from tools.knowledge.embedders import Vectors
from tools.knowledge.ingest import ingest
from tools.knowledge.minilm import MiniLM

POLICIES = Path(__file__).parents[3] / "knowledge"
DAY = date(2026, 11, 23)


class Counting:
    """MiniLM that remembers what it was given."""

    def __init__(self, inner: MiniLM) -> None:
        self.id = inner.id
        self.inner = inner
        self.texts: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.texts.extend(texts)
        return self.inner.embed(texts)


@pytest.fixture(scope="session")
def minilm() -> MiniLM:
    return MiniLM.load()


@pytest.fixture
def counting(minilm: MiniLM) -> Counting:
    return Counting(minilm)


@pytest.fixture(scope="session")
def policies(minilm: MiniLM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chroma")

    async def fill() -> None:
        async with Knowledge.open(folder, None, minilm) as knowledge:
            await ingest(knowledge, POLICIES)

    asyncio.run(fill())
    return folder


@pytest.fixture
async def knowledge(policies: Path, minilm: MiniLM) -> AsyncIterator[Knowledge]:
    async with Knowledge.open(policies, None, minilm, today=lambda: DAY) as opened:
        yield opened


@pytest.fixture
async def empty(tmp_path: Path, counting: Counting) -> AsyncIterator[Knowledge]:
    async with Knowledge.open(tmp_path / "chroma", None, counting, today=lambda: DAY) as opened:
        yield opened


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a document into `tmp_path/docs` and returns that folder."""

    def _write(name: str, body: str, **front: object) -> Path:
        head = {
            "id": name.partition(".")[0], "title": "Rules", "version": 1,
            "effective": "2026-01-01", "locale": "en", "audience": "customer",
        } | front  # fmt: skip
        folder = tmp_path / "docs"
        folder.mkdir(exist_ok=True)
        lines = [f"{key}: {value}" for key, value in head.items() if value is not None]
        (folder / name).write_text("---\n" + "\n".join(lines) + f"\n---\n{body}\n", "utf-8")
        return folder

    return _write
