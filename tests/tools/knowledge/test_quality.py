"""Figures on our own questions, with floors. `pytest -s` prints them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.knowledge.base import Knowledge
from tools.knowledge.types import Passage

QUESTIONS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("questions.yaml").read_text("utf-8"))
FLOORS = {
    "development": {"recall@1": 0.80, "recall@3": 0.93, "answered": 0.90, "right": 0.80, "refused": 0.96},
    "check": {"recall@1": 0.80, "recall@3": 0.92, "answered": 0.84, "right": 0.70, "refused": 0.95},
}


@pytest.mark.parametrize("part", FLOORS)
async def test_questions_find_their_section_and_others_find_none(knowledge: Knowledge, part: str) -> None:
    figures = await _measure(knowledge, QUESTIONS[part]["covered"], QUESTIONS[part]["not_covered"])
    print(part, {name: round(value, 3) for name, value in figures.items()})  # noqa: T201 - the report
    below = {name: figures[name] for name, floor in FLOORS[part].items() if figures[name] < floor}
    assert below == {}


async def _measure(knowledge: Knowledge, covered: list[tuple[str, str]], foreign: list[str]) -> dict[str, float]:
    found = [[_name(p) for p in await knowledge.search(question, limit=3)] for question, _ in covered]
    answers = [await knowledge.answer(question) for question, _ in covered]
    given = [_name(answer.passage) if answer else None for answer in answers]
    wanted = [section for _, section in covered]
    refused = [await knowledge.answer(question) is None for question in foreign]
    return {
        "recall@1": _share(names[0] == section for names, section in zip(found, wanted, strict=True)),
        "recall@3": _share(section in names for names, section in zip(found, wanted, strict=True)),
        "answered": _share(name is not None for name in given),
        "right": _share(name == section for name, section in zip(given, wanted, strict=True)),
        "refused": _share(refused),
    }


def _name(passage: Passage) -> str:
    return f"{passage.document}#{passage.anchor}"


def _share(hits: Iterable[bool]) -> float:
    values = list(hits)
    return sum(values) / len(values)
