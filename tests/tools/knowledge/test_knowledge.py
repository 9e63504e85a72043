import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from tests.tools.knowledge.conftest import POLICIES, Counting, Write
from tools.errors import ConfigurationError, KnowledgeUnavailable
from tools.knowledge.answers import sentences
from tools.knowledge.base import Knowledge
from tools.knowledge.documents import read_document
from tools.knowledge.ingest import ingest
from tools.knowledge.minilm import MiniLM


async def test_the_policy_for_annual_plans_is_found_and_cited(knowledge: Knowledge) -> None:
    question = "what is your refund policy for annual plans?"
    (passage,) = await knowledge.search(question, limit=1)
    answer = await knowledge.answer(question)
    assert (passage.document, passage.anchor) == ("annual-plans", "refunds-on-annual-plans")
    assert answer is not None
    assert answer.passage.citation == 'Annual plans (annual-plans v2), section "Refunds on annual plans"'
    assert "within 30 days of the day you paid" in answer.text


async def test_an_answer_is_made_of_sentences_of_its_passage(knowledge: Knowledge) -> None:
    answer = await knowledge.answer("how long does a refund take?")
    assert answer is not None
    assert 1 <= len(sentences(answer.text)) <= 3
    assert all(sentence in sentences(answer.passage.text) for sentence in sentences(answer.text))


async def test_results_are_ordered_and_scored_from_0_to_1(knowledge: Knowledge) -> None:
    found = await knowledge.search("can I pay in instalments?", limit=10)
    scores = [passage.score for passage in found]
    assert len(found) == 10
    assert sorted(scores, reverse=True) == scores
    assert all(0 <= score <= 1 for score in scores)


async def test_internal_documents_never_surface(knowledge: Knowledge) -> None:
    notes = read_document(POLICIES / "agents-notes.md")
    for section in notes:
        for sentence in sentences(section.passage.text):
            found = await knowledge.search(sentence, limit=1000)
            answer = await knowledge.answer(sentence)
            assert "agents-notes" not in {passage.document for passage in found}
            assert answer is None or answer.passage.document != "agents-notes"
        assert await knowledge.section("agents-notes", section.passage.anchor) is None


async def test_internal_sections_are_stored_all_the_same(knowledge: Knowledge) -> None:
    """Else the test above could not fail."""
    assert {"customer", "internal"} == {section.audience for section in await knowledge.store.sections()}


async def test_a_section_that_does_not_exist_is_none(knowledge: Knowledge) -> None:
    assert await knowledge.section("refunds", "no-such-section") is None
    assert await knowledge.section("no-such-document", "duplicate-charges") is None


async def test_each_document_is_read_in_the_customers_language_or_else_in_english(
    empty: Knowledge, write: Write
) -> None:
    write("refunds.md", "## Refunds {#refunds}\n\nWe refund.")
    write("refunds.de.md", "## Erstattung {#refunds}\n\nWir erstatten.", locale="de", title="Regeln")
    await ingest(empty, write("taxes.md", "## Taxes {#taxes}\n\nWe charge VAT."))
    seen = {
        locale: {passage.text for passage in await empty.search("refund", locale=locale)}
        for locale in ("en", "de", "de-AT", "fr")
    }
    english = {"We refund.", "We charge VAT."}
    german = {"Wir erstatten.", "We charge VAT."}
    assert seen == {"en": english, "de": german, "de-AT": german, "fr": english}
    passage = await empty.section("refunds", "refunds", locale="de-AT")
    assert passage is not None
    assert passage.text == "Wir erstatten."


async def test_a_version_counts_from_its_effective_date(tmp_path: Path, minilm: MiniLM, write: Write) -> None:
    write("rules.md", "## Window\n\nYou have 14 days.", version=1, effective="2026-01-01")
    folder = write("rules-2.md", "## Window\n\nYou have 30 days.", id="rules", version=2, effective="2026-07-01")
    day = date(2026, 6, 30)
    async with Knowledge.open(tmp_path / "chroma", None, minilm, today=lambda: day) as knowledge:
        await ingest(knowledge, folder)
        before = await knowledge.search("how many days")
        day = date(2026, 7, 1)
        after = await knowledge.search("how many days")
    assert [(passage.version, passage.text) for passage in before] == [("1", "You have 14 days.")]
    assert [(passage.version, passage.text) for passage in after] == [("2", "You have 30 days.")]


async def test_without_documents_knowledge_is_unavailable_and_not_silent(empty: Knowledge) -> None:
    """An empty index would turn every policy question into "we have no rule about this"."""
    with pytest.raises(KnowledgeUnavailable, match="counterfoil ingest"):
        await empty.answer("can I get a refund?")


async def test_only_internal_documents_are_as_good_as_none(empty: Knowledge, write: Write) -> None:
    await ingest(empty, write("notes.md", "## Secret\n\nSay nothing.", audience="internal"))
    with pytest.raises(KnowledgeUnavailable):
        await empty.search("secret")


async def test_a_collection_that_vanished_is_unavailable(empty: Knowledge, write: Write) -> None:
    await ingest(empty, write("rules.md", "## One\n\nA rule."))
    await empty.search("rule")
    empty.store.client.delete_collection(empty.store.name)
    with pytest.raises(KnowledgeUnavailable):
        await empty.search("rule")


async def test_a_chroma_that_hangs_is_unavailable(knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.knowledge.store.TIMEOUT", 0.05)
    monkeypatch.setattr(knowledge.store.client, "heartbeat", lambda: time.sleep(0.3))
    with pytest.raises(KnowledgeUnavailable):
        await knowledge.ping()


@pytest.mark.parametrize(("path", "url"), [(None, None), (Path("x"), "http://127.0.0.1:1")])
async def test_exactly_one_place_is_needed(path: Path | None, url: str | None, counting: Counting) -> None:
    with pytest.raises(ConfigurationError, match="either a folder or a URL"):
        async with Knowledge.open(path, url, counting):
            pass


async def test_many_customers_can_ask_at_once(knowledge: Knowledge) -> None:
    questions = ["how do I cancel my plan?", "do you charge VAT?", "where are my invoices?"] * 4
    answers = await asyncio.gather(*map(knowledge.answer, questions))
    documents = [answer.passage.document for answer in answers if answer]
    assert documents == ["cancellation", "taxes", "invoices"] * 4


@pytest.fixture
def chroma_url(tmp_path: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).parent / "chroma"), "run", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen([*command, "--path", str(tmp_path / "served")], stdout=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/api/v2/heartbeat")
        yield url
        process.terminate()


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise TimeoutError(url)


async def test_a_chroma_server_serves_as_a_folder_does(chroma_url: str, minilm: MiniLM, write: Write) -> None:
    folder = write("rules.md", "## Refunds\n\nA refund takes ten days.\n\n## Taxes\n\nVAT is added.")
    async with Knowledge.open(None, chroma_url, minilm) as knowledge:
        await knowledge.ping()
        await ingest(knowledge, folder)
        report = await ingest(knowledge, folder)
        answer = await knowledge.answer("how many days does a refund take?")
        assert (report.unchanged, await knowledge.count()) == (2, 2)
        assert answer is not None
        assert answer.text == "A refund takes ten days."


async def test_a_chroma_server_that_is_not_there_is_unavailable(counting: Counting) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(KnowledgeUnavailable):
        async with Knowledge.open(None, f"http://127.0.0.1:{port}", counting):
            pass
