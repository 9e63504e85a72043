from datetime import date
from pathlib import Path

import pytest

from tests.tools.knowledge.conftest import Write
from tools.errors import ConfigurationError
from tools.knowledge.documents import read_document, read_folder, slug

BODY = "# Rules\n\n## First rule\n\nBe kind.\n\n## Second rule\n\nBe exact."


def test_a_document_is_cut_at_its_second_level_headings(write: Write) -> None:
    first, second = read_document(write("rules.md", BODY, version=7) / "rules.md")
    assert (
        first.passage.section,
        first.passage.anchor,
        first.passage.text,
    ) == ("First rule", "first-rule", "Be kind.")
    assert ("rules@7/en#second-rule", date(2026, 1, 1), 1) == (second.key, second.effective, second.position)


def test_deeper_headings_stay_inside_their_section(write: Write) -> None:
    (section,) = read_document(write("rules.md", "## One\n\nA.\n\n### Deeper\n\nB.") / "rules.md")
    assert section.passage.text == "A.\n\n### Deeper\n\nB."


def test_words_before_the_first_section_are_a_section_named_as_the_document(write: Write) -> None:
    opening, _ = read_document(write("rules.md", "# Rules\n\nRead this.\n\n## One\n\nA.") / "rules.md")
    assert (
        opening.passage.section,
        opening.passage.anchor,
        opening.passage.text,
    ) == ("Rules", "rules", "Read this.")


def test_an_anchor_can_be_pinned(write: Write) -> None:
    (section,) = read_document(write("rules.md", "## Wann wir erstatten {#when-we-refund}\n\nJa.") / "rules.md")
    assert (section.passage.section, section.passage.anchor) == ("Wann wir erstatten", "when-we-refund")


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("Refunds on annual plans", "refunds-on-annual-plans"),
        ("  VAT & GST: what's due? ", "vat-gst-what-s-due"),
        ("Größe und Café", "grosse-und-cafe"),
    ],
)
def test_a_heading_becomes_a_fragment(heading: str, anchor: str) -> None:
    assert slug(heading) == anchor


@pytest.mark.parametrize(
    ("front", "field"),
    [
        ({"id": "Not A Slug"}, "id"),
        ({"title": None}, "title"),
        ({"version": 0}, "version"),
        ({"version": "three"}, "version"),
        ({"version": "true"}, "version"),
        ({"effective": "soon"}, "effective"),
        ({"effective": 2026}, "effective"),
        ({"locale": "english"}, "locale"),
        ({"audience": "everyone"}, "audience"),
        ({"audiance": "internal"}, "audiance"),
    ],
)
def test_bad_front_matter_names_the_file_and_the_field(write: Write, front: dict[str, object], field: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"rules\.md: `{field}`: "):
        read_folder(write("rules.md", BODY, **front))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("# No front matter", "does not start with front matter"),
        ("---\nid: [\n---\n## A\n\nB.", "not valid YAML"),
        ("---\n- a\n---\n## A\n\nB.", "`front matter`: "),
    ],
)
def test_a_file_without_readable_front_matter_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "broken.md").write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=rf"broken\.md: .*{complaint}"):
        read_folder(tmp_path)


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.md").write_bytes(b"---\ntitle: Caf\xe9\n---\n")
    with pytest.raises(ConfigurationError, match=r"latin\.md: cannot be read"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("", "has no text"),
        ("## Same\n\nA.\n\n## Same\n\nB.", "`same` is empty or used 2 times"),
        ("## Empty\n\n## Full\n\nB.", "section `Empty` is empty"),
        ("## Bare\n\n[](x)", "section `Bare` is empty"),
        ("## ???\n\nB.", "`` is empty"),
    ],
)
def test_sections_that_could_not_be_cited_are_refused(write: Write, body: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        read_folder(write("rules.md", body))


def test_two_files_cannot_be_the_same_document(write: Write) -> None:
    write("rules.md", BODY)
    with pytest.raises(ConfigurationError, match=r"rules\.md: .*same as in a-copy\.md"):
        read_folder(write("a-copy.md", BODY, id="rules"))


def test_a_folder_without_documents_is_a_mistake_and_not_an_empty_policy(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no Markdown documents"):
        read_folder(tmp_path)
