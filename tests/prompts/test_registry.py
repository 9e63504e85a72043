"""Prompts and replies are data that is checked at load."""

import re
from pathlib import Path

import pytest

from prompts.registry import FOLDER, PromptError, Template, load


def test_the_prompts_of_the_conversation_are_there_with_versions() -> None:
    prompts = load().prompts

    assert {"greeting", "identify", "resolve", "escalation", "understand"} == set(prompts)
    assert all(prompt.version >= 1 for prompt in prompts.values())


def test_a_missing_variable_raises() -> None:
    template = Template(text="Hello {name}", variables={"name": "text"})

    with pytest.raises(PromptError, match="missing \\['name'\\]"):
        template.fill({})


def test_an_unknown_variable_raises() -> None:
    with pytest.raises(PromptError, match="unknown \\['surname'\\]"):
        Template(text="Hello", variables={}).fill({"surname": "Byron"})


def test_text_in_braces_inside_a_value_is_not_filled_again() -> None:
    template = Template(text="{first} {second}", variables={"first": "text", "second": "text"})

    assert template.fill({"first": "{second}", "second": "x"}) == "{second} x"


def test_a_variable_that_is_used_but_not_declared_is_refused_at_load(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("id: bad\nversion: 1\npurpose: x\ntext: Hello {name}\n")

    with pytest.raises(PromptError, match=r"bad\.yaml"):
        load(tmp_path)


def test_a_reply_missing_in_a_language_is_said_in_english() -> None:
    registry = load()

    assert registry.reply("close", "de") == registry.reply("close", "en")


def test_an_unknown_reply_raises() -> None:
    with pytest.raises(PromptError, match="no reply 'nonsense'"):
        load().reply("nonsense")


@pytest.mark.parametrize("rule", ["password", "full card number", "phone number"])
def test_identifying_never_asks_for_secrets_and_offers_the_phone(rule: str) -> None:
    assert rule in load().prompt("identify").text


def test_a_reply_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    """YAML would keep the second in silence: a reply was lost that way, and its turn ended in an error."""
    (tmp_path / "replies").mkdir()
    (tmp_path / "replies" / "en.yaml").write_text("a: {text: one}\na: {text: two}\n")

    with pytest.raises(PromptError, match="twice"):
        load(tmp_path)


def test_every_reply_that_the_code_asks_for_exists_and_none_is_idle() -> None:
    sources = "".join(path.read_text("utf-8") for path in (FOLDER.parent / "nodes").rglob("*.py"))
    replies = set(load().replies["en"])

    asked = set(re.findall(r'draft\(\s*"(\w+)"', sources))
    named = {name for name in replies if f'"{name}"' in sources}
    made = {name for name in replies if name.startswith("ask_")}

    assert asked <= replies
    assert replies == named | made
