from time import perf_counter

import pytest

from tools.nlu.corpus import shipped
from tools.nlu.cues import beside_code, read_cue, without_refused
from tools.nlu.language import detect


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("yes", "affirm"),
        ("Yes, go ahead!", "affirm"),
        ("ok", "affirm"),
        ("ja bitte", "affirm"),
        ("sí, por favor", "affirm"),
        ("oui merci", "affirm"),
        ("sure 👍", "affirm"),
        ("no", "decline"),
        ("no thanks", "decline"),
        ("no, don't do it", "decline"),
        ("nein danke", "decline"),
        ("👎", "decline"),
        ("ok, thanks", "thanks"),
        ("great, thank you so much!", "thanks"),
        ("my code is [one-time code]", "give_code"),
        ("482913", "give_code"),
        ("482 913", "give_code"),
        ("it's ada@example.com, thanks!", "give_email"),
        ("call me on +1 202 555 0171", "give_phone"),
        ("👋", "greeting"),
        ("🙏", "thanks"),
    ],
)
def test_plain_words_settle_the_reading(text: str, intent: str) -> None:
    reading = read_cue(text)
    assert reading is not None
    assert intent == reading.intent


@pytest.mark.parametrize(
    "text",
    [
        "yes but first tell me the amount",
        "yes?",
        "no, I want to cancel",
        "ok cancel my plan",
        "change my email to ada@example.com",
        "I was charged twice, ada@example.com",
        "invoice 48291-3000",
        "yesterday",
        "not sure",
        "4829134",
    ],
)
def test_anything_more_is_left_to_the_reader(text: str) -> None:
    assert read_cue(text) is None


def test_an_angry_face_is_no_certainty() -> None:
    reading = read_cue("😡😡")
    assert reading is not None
    assert reading.confidence < 0.7


def test_no_wish_of_our_utterances_is_taken_for_a_yes_or_a_no() -> None:
    talk = {"affirm", "decline", "thanks", "goodbye", "out_of_scope"}
    taken = [
        e.text for e in shipped().examples if e.intent not in talk and (cue := read_cue(e.text)) and cue.intent in talk
    ]
    assert [] == taken


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("hi", "en"),
        ("refund", "en"),
        ("ich wurde doppelt belastet", "de"),
        ("Kündigung", "de"),
        ("me cobraron dos veces este mes", "es"),
        ("¿por qué es más alta?", "es"),
        ("je veux un remboursement", "fr"),
        ("où est mon argent", "fr"),
        ("ada@example.com", "en"),
        ("", "en"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert language == detect(text)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("[one-time code]", ""),
        ("the code is [one-time code].", ""),
        ("my code: [one-time code] and also cancel my plan", "cancel my plan"),
        ("cancel my plan, the code is [one-time code]", "cancel my plan"),
        ("cancel my plan", ""),
    ],
)
def test_what_is_said_beside_a_code(text: str, rest: str) -> None:
    assert rest == beside_code(text)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("please don’t refund me", "please"),
        ("don't cancel my plan but refund me", "but refund me"),
        ("don't refund this one, refund that one", "don't refund this one, refund that one"),
        ("if you don't refund me", "if you don't refund me"),
        ("I didn't get my refund", "I didn't get my refund"),
        ("ich kann nicht kündigen", "ich kann nicht kündigen"),
    ],
)
def test_a_refused_wish_is_left_out(text: str, rest: str) -> None:
    assert rest == without_refused(text).strip()


def test_long_rows_are_searched_at_once() -> None:
    started = perf_counter()
    for text in (
        " " * 2000 + "code" + "-" * 1500,
        "the code is " * 300,
        "don't " * 400 + "refund",
        "ich will a b " * 200,
    ):
        beside_code("[one-time code]" + text)
        without_refused(text)
    assert perf_counter() - started < 1
