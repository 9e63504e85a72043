from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.safety.sentences import Splitter, sentences, split

TEXT = (
    "Your charge was $1,200.00. It came on Nov. 3. See e.g. No. 5 of our terms. No. I can't. "
    "Am 23. November 2026 wurde gezahlt. Danke!\nVisit https://example.com/a.b?x=1. “Really?” Yes… ok."
)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("It was $1,200.00. Fine!", ["It was $1,200.00. ", "Fine!"]),
        ("See e.g. the terms. Ok.", ["See e.g. the terms. ", "Ok."]),
        ("Look at No. 5 there. Ok.", ["Look at No. 5 there. ", "Ok."]),
        ("No. I cannot.", ["No. ", "I cannot."]),
        ("Am 23. November 2026 kam sie. Gut.", ["Am 23. November 2026 kam sie. ", "Gut."]),
        ("It came on Nov. 3. Then?", ["It came on Nov. 3. ", "Then?"]),
        ("Go to https://a.example/x.html?y=1. Then pay.", ["Go to https://a.example/x.html?y=1. ", "Then pay."]),
        ("One\nTwo", ["One\n", "Two"]),
        ("Dr. Ada owes 3.50 USD. Really?! Yes.", ["Dr. Ada owes 3.50 USD. ", "Really?! ", "Yes."]),
        ("He said “no.” Then left.", ["He said “no.” ", "Then left."]),
        ("Das gilt z.B. für Abos. Ok.", ["Das gilt z.B. für Abos. ", "Ok."]),
        ("no end", ["no end"]),
        ("", []),
    ],
)
def test_where_sentences_end(text: str, parts: list[str]) -> None:
    assert parts == list(split(text))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=200))
def test_chunks_do_not_change_the_sentences(sizes: list[int]) -> None:
    splitter, found, at = Splitter(), [], 0
    for size in sizes:
        found += splitter.feed(TEXT[at : at + size])
        at += size
    found += splitter.feed(TEXT[at:])
    assert list(split(TEXT)) == [*found, *splitter.flush()]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from("aB1 .!?\n\"'…Novemb,e.g"), max_size=60))
def test_nothing_is_lost(text: str) -> None:
    assert text == "".join(split(text))


async def test_a_sentence_is_given_before_the_stream_ends() -> None:
    seen: list[str] = []

    async def chunks() -> AsyncIterator[str]:
        yield "First one. Second "
        yield "starts"
        seen.append("before the end")
        yield " here."

    async for sentence in sentences(chunks()):
        seen += [sentence]
    assert ["First one. ", "before the end", "Second starts here."] == seen
