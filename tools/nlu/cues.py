"""What needs no model to read: a lone e-mail address, a code, a plain yes, a thumb."""

import re
import unicodedata
from pathlib import Path

from tools.nlu.slots import find_email, find_phone
from tools.nlu.types import Intent, Reading, Slots
from tools.safety.patterns import load

PATH = Path(__file__).with_name("cues.yaml")
CUES = load(PATH)
_ANSWERS: tuple[Intent, ...] = ("thanks", "decline", "affirm")
_REFUSABLE: tuple[Intent, ...] = ("refund_request", "cancel_subscription")
_LONGEST = 120
_LONGEST_ANSWER = 8
_SIX_DIGITS = re.compile(r"(?<!\d)\d{3}[ -]?\d{3}(?!\d)")
_EMOJI: tuple[tuple[str, Intent, float], ...] = (
    ("👍👌✅☑✔🆗💯", "affirm", 0.85),
    ("👎❌✖🚫🙅⛔", "decline", 0.85),
    ("👋", "greeting", 0.9),
    ("🙏❤💙💚💛🧡💜🥰😍🤗💐", "thanks", 0.85),
    ("🙂😊😀😃😄😁☺😉🤝🎉🥳😎", "greeting", 0.75),
    ("😡🤬😠😤💢", "talk_to_human", 0.4),
)


def is_emoji_only(text: str) -> bool:
    """At least one symbol, and nothing that could be read aloud."""
    characters = [c for c in text if not c.isspace()]
    kinds = {unicodedata.category(c) for c in characters}
    return bool(kinds & {"So", "Sk"}) and kinds <= {"So", "Sk", "Sm", "Cf", "Mn", "Me", "Po", "Pe", "Ps"}


def _sure(intent: Intent) -> Reading:
    return Reading(intent=intent, confidence=0.97)


def _read_emoji(text: str, *, talking: bool) -> Reading:
    for characters, intent, confidence in _EMOJI:
        if any(c in characters for c in text):
            # A smile opens a talk; inside one it says thank you.
            meant: Intent = "thanks" if talking and intent == "greeting" and "👋" not in text else intent
            return Reading(intent=meant, confidence=confidence)
    return Reading(intent="out_of_scope", confidence=0.4)


def _read_contact(text: str) -> Reading | None:
    if (email := find_email(text)) and CUES["introduces"].fullmatch(text[: email.start()] + " " + text[email.end() :]):
        return Reading(intent="give_email", confidence=0.99)
    if (phone := find_phone(text)) and CUES["introduces"].fullmatch(text[: phone[1]] + " " + text[phone[2] :]):
        return Reading(intent="give_phone", confidence=0.99)
    return None


def read_cue(text: str, *, talking: bool = False) -> Reading | None:
    """The reading that the words alone settle, or None. `talking`: something was said before."""
    if CUES["code"].search(text):
        return Reading(intent="give_code", confidence=0.99)
    if is_emoji_only(text):
        return _read_emoji(text, talking=talking)
    if contact := _read_contact(text):
        return contact
    if len(text) <= _LONGEST:
        return next((_sure(intent) for intent in _ANSWERS if CUES[intent].fullmatch(text)), None)
    return None


def beside_code(text: str) -> str:
    """What a message says besides its code; empty when that is all."""
    rest = CUES["handed_code"].sub(" ", text).strip(" \t\n,.;:!-")
    return re.sub(r"(?i)^(?:and|also|then|und|y|et)\b(?: also\b)?\W*", "", rest) if CUES["code"].search(text) else ""


def without_refused(text: str) -> str:
    """The text without the wishes that are only named to say that there is none: "don't refund me"."""
    for intent in _REFUSABLE:
        plain = " ".join(text.replace("’", "'").split())
        rest, refused = CUES[f"no_{intent}"].subn(" ", plain)
        # "not this one, refund that one" does ask for a refund
        text = rest if refused and not CUES[intent].search(rest) else text
    return text


def is_possible(intent: Intent, text: str, slots: Slots) -> bool:
    """Whether anything may read `intent` into the text: a yes is short, an address is written out."""
    match intent:
        case "affirm" | "decline":
            return len(text.split()) <= _LONGEST_ANSWER and not CUES["hedge"].search(text)
        case "give_email":
            return slots.email is not None
        case "give_phone":
            return slots.phone is not None
        case "give_code":
            return bool(CUES["code"].search(text) or _SIX_DIGITS.search(text))
        case "refund_request" | "cancel_subscription":
            return not CUES[intent].search(text) or bool(CUES[intent].search(without_refused(text)))
    return True
