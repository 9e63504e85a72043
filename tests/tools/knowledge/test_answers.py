import numpy as np
import pytest

from tools.knowledge.answers import overlap, quote, sentences
from tools.knowledge.ranking import BM25


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("We refund. You wait 5–10 days! Is that clear? Yes.", 4),
        ("Pay 100.50 USD by e-mail to a.b@acme.example now.", 1),
        ("- Keep the first.\n- Refund the second.", 2),
        ("1. Sign in\n2. Ask\n\nThat is all.", 3),
        ("Pay early, e.g. today. So you save.", 2),
        ("### Within the US\nTax is added.", 2),
        ("One line\nthat is wrapped.", 1),
        ("", 0),
    ],
)
def test_a_text_falls_into_sentences_and_list_items(markdown: str, expected: int) -> None:
    assert len(sentences(markdown)) == expected


def test_markup_is_not_quoted() -> None:
    assert sentences("- **Never** ask `why`, [see here](https://acme.example/x).") == ("Never ask why, see here.",)


def test_a_quote_keeps_the_order_of_the_text_and_drops_what_is_far_off() -> None:
    assert quote(["a.", "b.", "c."], np.array([0.5, 0.1, 0.6], np.float32)) == "a. c."


def test_a_quote_has_three_sentences_at_most() -> None:
    assert quote(["a.", "b.", "c.", "d."], np.array([0.5, 0.6, 0.6, 0.6], np.float32)) == "b. c. d."


def test_overlap_is_the_share_of_the_question_that_is_spoken_to() -> None:
    index = BM25(["refund of tax", "refund of money"])
    assert overlap("refunds?", "We refund.", index) == 1.0
    assert 0 < overlap("refund pizza", "We refund.", index) < 0.5
    assert overlap("is it?", "We refund.", index) == 0.0
