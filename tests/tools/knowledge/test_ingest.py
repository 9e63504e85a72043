from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from tests.tools.knowledge.conftest import Counting, Write
from tools.errors import ConfigurationError
from tools.knowledge.base import Knowledge
from tools.knowledge.ingest import WINDOW, ingest, windows

TWO = "## One\n\nThe first rule is about refunds.\n\n## Two\n\nThe second rule is about taxes."


async def counts(knowledge: Knowledge, folder: Path) -> dict[str, int]:
    return asdict(await ingest(knowledge, folder))


async def test_the_second_ingestion_embeds_and_writes_nothing(
    empty: Knowledge, counting: Counting, write: Write
) -> None:
    folder = write("rules.md", TWO)
    first = await counts(empty, folder)
    revision, embedded = await empty.store.revision(), len(counting.texts)
    second = await counts(empty, folder)
    nothing = {"embedded": 0, "relabelled": 0, "removed": 0}
    assert first == nothing | {"documents": 1, "sections": 2, "embedded": 2, "unchanged": 0}
    assert second == nothing | {"documents": 1, "sections": 2, "unchanged": 2}
    assert (revision, embedded) == (await empty.store.revision(), len(counting.texts))


async def test_an_edited_section_is_embedded_alone(empty: Knowledge, counting: Counting, write: Write) -> None:
    await ingest(empty, write("rules.md", TWO))
    counting.texts.clear()
    await ingest(empty, write("rules.md", TWO.replace("taxes", "VAT")))
    assert counting.texts == ["Rules: Two\nThe second rule is about VAT."]
    passage = await empty.section("rules", "two")
    assert passage is not None
    assert passage.text == "The second rule is about VAT."


async def test_a_new_version_of_the_same_words_is_relabelled_without_the_model(
    empty: Knowledge, counting: Counting, write: Write
) -> None:
    await ingest(empty, write("rules.md", TWO))
    counting.texts.clear()
    report = await ingest(empty, write("rules.md", TWO, version=2))
    assert (report.relabelled, report.removed, counting.texts) == (2, 2, [])
    passage = await empty.section("rules", "one")
    assert passage is not None
    assert passage.citation == 'Rules (rules v2), section "One"'


async def test_a_removed_section_and_a_removed_file_are_forgotten(empty: Knowledge, write: Write) -> None:
    folder = write("rules.md", TWO)
    await ingest(empty, write("other.md", TWO))
    (folder / "other.md").unlink()
    report = await ingest(empty, write("rules.md", TWO[: TWO.index("## Two")]))
    assert (report.removed, await empty.count()) == (3, 1)
    assert await empty.section("rules", "two") is None


async def test_a_document_that_becomes_internal_leaves_the_customers_at_once(
    empty: Knowledge, counting: Counting, write: Write
) -> None:
    await ingest(empty, write("open.md", TWO))
    await ingest(empty, write("rules.md", TWO))
    assert await empty.section("rules", "one") is not None
    counting.texts.clear()
    report = await ingest(empty, write("rules.md", TWO, audience="internal"))
    assert (report.relabelled, counting.texts) == (2, [])
    assert await empty.section("rules", "one") is None


async def test_one_bad_document_stops_the_ingestion_before_anything_is_written(empty: Knowledge, write: Write) -> None:
    write("rules.md", TWO)
    with pytest.raises(ConfigurationError):
        await ingest(empty, write("bad.md", TWO, version=0))
    assert await empty.count() == 0


async def test_an_ingestion_that_was_cut_off_is_completed_by_the_next(empty: Knowledge, write: Write) -> None:
    folder = write("rules.md", TWO)
    await ingest(empty, folder)
    await empty.store.delete(["rules@1/en#two"])
    await empty.store.set_revision("half way")
    report = await ingest(empty, folder)
    assert (report.embedded, report.unchanged) == (1, 1)
    assert await empty.section("rules", "two") is not None


async def test_another_process_sees_what_was_ingested(empty: Knowledge, counting: Counting, write: Write) -> None:
    reader = Knowledge(empty.store, counting)
    await ingest(empty, write("rules.md", TWO))
    assert await reader.section("rules", "one") is not None
    await ingest(empty, write("rules.md", TWO.replace("One", "Three")))
    assert await reader.section("rules", "one") is None
    assert await reader.section("rules", "three") is not None


async def test_vectors_of_two_embedders_are_never_mixed(tmp_path: Path, counting: Counting, write: Write) -> None:
    folder = write("rules.md", TWO)
    other = Counting(counting.inner)
    other.id = "another-model"
    async with (
        Knowledge.open(tmp_path / "chroma", None, counting) as one,
        Knowledge.open(tmp_path / "chroma", None, other) as two,
    ):
        await ingest(one, folder)
        assert (await one.count(), await two.count()) == (2, 0)
        assert (await ingest(two, folder)).embedded == 2


async def test_progress_counts_the_sections_that_need_the_model(empty: Knowledge, write: Write) -> None:
    seen: list[tuple[int, int]] = []
    folder = write("rules.md", "\n\n".join(f"## Rule {n}\n\nNumber {n}." for n in range(20)))
    await ingest(empty, folder, progress=lambda done, total: seen.append((done, total)))
    await ingest(empty, folder, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(16, 20), (20, 20)]


async def test_the_end_of_a_long_section_is_found_too(empty: Knowledge, write: Write) -> None:
    """MiniLM reads 256 tokens: the vector of a long section is the mean over windows of its sentences."""
    filler = "Our office cat sleeps on the warm printer every day. " * 60
    await ingest(empty, write("rules.md", f"## Long\n\n{filler}Refunds of train tickets take nine days."))
    await ingest(empty, write("short.md", f"## Short\n\n{filler[:400]}"))
    long, short = await empty.search("how many days for a train ticket refund", limit=2)
    assert (long.document, short.document) == ("rules", "short")
    assert long.score > short.score


def test_windows_are_whole_sentences_that_fit_the_model() -> None:
    pieces = windows("A sentence of exactly six words. " * 100)
    assert all(len(piece.split()) <= WINDOW and piece.endswith("words.") for piece in pieces)
    assert len(" ".join(pieces).split()) == 600
    assert windows("Short.\n\nAs it stands.") == ["Short.\n\nAs it stands."]


async def test_stored_vectors_are_those_of_the_model(empty: Knowledge, counting: Counting, write: Write) -> None:
    await ingest(empty, write("rules.md", TWO))
    near = await empty.store.nearest(
        counting.embed(["Rules: Two\nThe second rule is about taxes."])[0],
        audience="customer",
        locales=["en"],
        limit=2,
    )
    np.testing.assert_allclose(1.0, near["rules@1/en#two"], atol=1e-5)
    assert near["rules@1/en#one"] < 0.95
