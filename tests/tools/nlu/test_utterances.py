from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import ValidationError

from tools.nlu.corpus import load, shipped
from tools.nlu.types import Intent

HELD_OUT = Path(__file__).with_name("paraphrases.yaml")


def held_out() -> dict[str, list[list[str]]]:
    content: dict[str, list[list[str]]] = yaml.safe_load(HELD_OUT.read_text("utf-8"))
    return content


def test_every_intent_has_at_least_25_utterances() -> None:
    counts = Counter(example.intent for example in shipped().examples)
    assert [] == [intent for intent in get_args(Intent) if counts[intent] < 25]


def test_no_utterance_stands_for_two_intents() -> None:
    meanings: dict[str, set[str]] = {}
    for example in shipped().examples:
        meanings.setdefault(example.text.lower(), set()).add(example.intent)
    assert {} == {text: intents for text, intents in meanings.items() if len(intents) > 1}


def test_held_out_paraphrases_are_not_trained_on() -> None:
    learnt = {example.text.lower() for example in shipped().examples} | {text.lower() for text, _ in shipped().several}
    content = held_out()
    assert set() == learnt & {row[0].lower() for row in (*content["one"], *content["several"])}
    assert len(content["one"]) >= 120


def test_held_out_paraphrases_name_real_intents() -> None:
    content = held_out()
    named = {intent for row in (*content["one"], *content["several"]) for intent in row[1:]}
    assert set() == named - set(get_args(Intent))


def test_a_misspelt_intent_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("intents: {refnud_request: {en: [refund]}}")
    with pytest.raises(ValidationError, match="refund_request"):
        load(tmp_path)
