import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.knowledge.ranking import BM25, mix, stem, terms

TEXTS = ["A refund takes ten days.", "An invoice is sent by email.", "An invoice shows the tax."]


@pytest.mark.parametrize(
    "family",
    [
        "refund refunds refunded refunding",
        "cancel cancels canceled cancelled cancelling cancellation",
        "charge charges charged charging",
        "policy policies",
        "invoice invoices invoiced",
        "instalment instalments installment installments",
        "pay payment payments paying",
    ],
)
def test_the_forms_of_a_word_share_a_stem(family: str) -> None:
    assert len({stem(word) for word in family.split()}) == 1


def test_words_that_carry_no_meaning_are_left_out() -> None:
    assert terms("What is your customer's tax?") == terms("customer tax")


def test_the_text_with_the_words_asked_for_comes_first() -> None:
    scores = BM25(TEXTS).scores("How long do refunds take?")
    assert int(scores.argmax()) == 0
    assert scores[1:].tolist() == [0, 0]


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    index = BM25(TEXTS)
    assert index.idf(stem("tax")) > index.idf(stem("invoice"))
    assert int(index.scores("invoice with tax").argmax()) == 2


def test_a_word_that_no_text_has_lowers_the_scores() -> None:
    index = BM25(TEXTS)
    assert index.scores("refund pizza")[0] < index.scores("refund")[0]


@given(st.lists(st.text(max_size=60), max_size=6), st.text(max_size=60))
def test_scores_are_shares_of_the_best_possible(texts: list[str], query: str) -> None:
    scores = BM25(texts).scores(query)
    assert len(texts) == len(scores)
    assert all(0 <= score <= 1.00001 for score in scores)


def test_meaning_counts_more_than_words_and_opposites_count_nothing() -> None:
    words = BM25(TEXTS).scores("refund")
    meaning = words[::-1].copy()
    mixed = mix(words, meaning)
    assert mixed[2] > mixed[0]
    assert mix(words, -meaning).tolist() == mix(words, 0 * meaning).tolist()
