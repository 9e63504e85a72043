from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.nlu.answers import plain_answer

YES = """
yes|Yes|YES!!|y|yes.|yes please|yes, please!|yes, thank you|yes please go ahead|yes thanks a lot|yep|yup|yeah|yesss|sure|sure thing
sure, go ahead|sure thanks|ok|OK.|okay|k|ok please|ok do it please|okay then|ok fine|do it|just do it|do that|please do|please do it
go ahead|go ahead and do it|you can go ahead|yes do it|yes do it now|confirm|I confirm|yes, I confirm|confirmed|correct|that's correct
that’s right|yes that's fine|yes, I'm sure|of course|absolutely|definitely|exactly|agreed|I agree|I accept|proceed|please proceed
by all means|sounds good|sounds good, thanks|go for it|alright|fine with me|works for me|hi, yes please|oh yes|yes :)|perfect, yes
ja|Ja!|ja bitte|ja, danke|ja gerne|gerne|na klar|genau|einverstanden|mach das|machen Sie das bitte|ja, bitte bestätigt|ich bestätige
in Ordnung|auf jeden Fall|jawohl|sí|si|¡Sí!|sí, por favor|sí gracias|claro|claro que sí|vale|de acuerdo|adelante|hazlo|hágalo por favor
confirmo|por supuesto|correcto|oui|Oui !|oui merci|oui, s'il vous plaît|vas-y|allez-y|d'accord|bien sûr|je confirme|ouais|tout à fait
👍|👍🏽|✅|✔️|👌|yes 👍|ok 👍|yes 🙂|oui 🙏|👍 yes please|ｙｅｓ
"""
NO = """
no|No.|NO!|nope|nah|nooo|n|no thanks|no, thank you|no thank you very much|no please|sorry, no|no sorry|no, don't do it|don't|do not
please don't|please don’t|dont do it|don't do that|stop|STOP!|stop it|never mind|nevermind|nvm|forget it|leave it|leave it as it is|no way
absolutely not|certainly not|not now|not yet|not really|no need|I'd rather not|I decline|I changed my mind|no, don't cancel|don't cancel
don't cancel my plan|do not cancel my subscription|please do not cancel my subscription|don't refund me|dont refund me|do not refund it
no refund please|no refund|no, no refund|actually I changed my mind, do not refund|I don't want a refund anymore|I don't want a refund
I no longer want a refund|I do not want to cancel|I don't want to cancel my subscription anymore|I don't want you to refund me|no I don't
I don't want that|wait no|no, that's wrong|no thanks, I'm good|no, keep my subscription|don't do anything|don't proceed
nein|Nein danke|nö|nee|bitte nicht|lieber nicht|auf keinen Fall|nein, doch nicht|nicht kündigen|ich möchte nicht kündigen|keine Erstattung bitte
ich will keine Rückerstattung mehr|lassen Sie es|mach das nicht|vergiss es|no gracias|mejor no|no, mejor no|no lo hagas|déjalo
no quiero|no quiero cancelar|no quiero el reembolso|no canceles mi suscripción|ya no quiero un reembolso|ahora no|claro que no
non|non merci|surtout pas|pas maintenant|laissez tomber|ne le faites pas|je ne veux pas|je ne veux pas de remboursement|pas question
n'annulez pas mon abonnement|ne me remboursez pas|j'ai changé d'avis|👎|❌|🚫|🙅‍♂️|no 👎|🛑|never|don't, please|please don't. thanks|no quiero, gracias|je ne veux pas, merci
"""
NEITHER = """
|   |ok hold on|hold on|wait|yes $10|yes half|yes no|no yes|that's wrong, yes|ok cool whatever|yes wrong|yes or no|yes sorry no
yes I mean no|ja nein|oui non|sí no|she said yes|ok i understand|yes, later|yes tomorrow|yes to my paypal|not yes|yes but refund both
yes if it is free|yes?|yes I think|I think so|I guess so|maybe|probably|yes probably|yeah right|yeah no|ok no|ok don't|yes don't
yes, please don't|cancel that|cancel|cancel it|no, cancel it|no, refund the other one|no refund the second one|yes refund both
yes and cancel my plan|yes, refund me 20|yes 49.00|yes 1|yes1|1|yes, all of it|yes the first one|yes to the first|both|ok, thanks|ok thanks 🙏
thanks|thank you|vale gracias|great|perfect|fine|good|cool|that's fine|that's ok thanks|please|bitte|danke|merci|got it|I see|understood
yes...|ok…|hmm ok|yes/no|y/n|"yes"|yes yes no|say yes|if I say yes, what happens|is that a yes|no problem|no worries|no idea|no doubt, yes
don't stop|don't cancel the refund|don't stop the refund|do not cancel my refund|don't refund this one, refund the other|no?|nein?|do it later
do it tomorrow|do it twice|do it for both|do not hesitate, do it|I can't say no|no longer|no money came|no, it was $49|yes 👎|no 👍|👍👎|👍🙄|🤷
🙂|❤️|yes 😡|da|да|はい|yes\u200bno|y e s|yesterday|okra|si no|si quieres|si es gratis|sí pero no|oui mais|ja aber|ja, morgen|oui demain
claro, mañana|did you get my yes|yes, what is the fee|ok how much|go away|I don't know|I don't want to wait|I don't want to pay
never refunded|do not charge twice, refund me|stop charging me|stop my subscription|leave me alone|don't decline|never stop|don't abort|don't leave it|I don't want to stop|do not never mind
"""


def cases(table: str) -> list[str]:
    return [text.replace("\\u200b", "\u200b") for line in table.strip("\n").split("\n") for text in line.split("|")]


@pytest.mark.parametrize("text", cases(YES))
def test_a_plain_yes(text: str) -> None:
    assert "yes" == plain_answer(text)


@pytest.mark.parametrize("text", cases(NO))
def test_a_plain_no(text: str) -> None:
    assert "no" == plain_answer(text)


@pytest.mark.parametrize("text", cases(NEITHER))
def test_anything_else_is_no_answer(text: str) -> None:
    assert plain_answer(text) is None


_SPOILERS = """0 7 10 $10 10€ 49.00 half both no not don't nein nicht non pas nope never but later tomorrow if wait hold cancel stop
kein nunca jamais maybe ? … 👎 ❌ wrong first second whatever""".split()


@settings(max_examples=400, deadline=None)
@given(
    yes=st.lists(st.sampled_from(cases(YES)), min_size=1, max_size=2),
    spoiler=st.sampled_from(_SPOILERS),
    gap=st.sampled_from([" ", ", ", ". ", "! ", " - ", "\n"]),
    place=st.integers(0, 2),
)
def test_a_yes_with_a_number_an_amount_or_a_negation_is_no_yes(
    yes: list[str], spoiler: str, gap: str, place: int
) -> None:
    words = [*yes[:place], spoiler, *yes[place:]]
    assert "yes" != plain_answer(gap.join(words))


@settings(max_examples=200, deadline=None)
@given(yes=st.sampled_from(cases(YES)), digit=st.characters(categories=["Nd", "No", "Nl", "Sc"]))
def test_a_yes_with_a_digit_or_a_currency_behind_it_is_no_yes(yes: str, digit: str) -> None:
    assert plain_answer(yes + digit) is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=150))
def test_any_text_is_read_without_error_and_always_alike(text: str) -> None:
    assert plain_answer(text) == plain_answer(text)


def test_a_long_row_of_answers_is_read_at_once() -> None:
    """Two ways to read one word would double the work with every word."""
    rows = [f"{text} " * (118 // (len(text) + 1)) + "x" for text in cases(YES) + cases(NO)]
    started = perf_counter()
    assert {None} == {plain_answer(row) for row in rows}
    assert perf_counter() - started < 2
