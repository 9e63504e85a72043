"""What the scripted model says.

mood              words                                          structured output
faithful          "Certainly." and the draft                     what `reads` says of the last message
false_amount      a sum that nobody was charged                  the same
false_deed        something true, then a refund never made       the same
false_then_right  a false sum; asked again, the draft            the same
cut_short         half of it, and then `finish_reason`           half of it
garbage           as faithful                                    text that is no JSON
fails_midway      `tokens` of it, then a lost connection         a lost connection
slow              as faithful, `seconds` late                    the same
down              status 503                                     status 503
proxy_page        a page of HTML with status 200                 the same
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.model.asked import Asked

MOODS = (
    "faithful",
    "false_amount",
    "false_deed",
    "false_then_right",
    "cut_short",
    "garbage",
    "fails_midway",
    "slow",
    "down",
    "proxy_page",
)
OPENING = "Certainly. "
FALSE_AMOUNT = "I see a charge of $94.13, and you will get $94.13 back."
FALSE_DEED = "Let me see. I have refunded everything to your card. Have a nice day!"
NO_JSON = 'Sure! {"readings": [{"intent": "dup'
UNHEARD = {"intent": "out_of_scope", "confidence": 0.3}
"""Of a message that no script speaks of, a model is not sure."""
CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Script:
    mood: str = "faithful"
    reads: Mapping[str, Any] = field(default_factory=dict)
    """Fragment of a message -> its intents: names, or objects with intent and confidence. The longest match counts."""
    seconds: float = 1
    tokens: int = 3
    finish_reason: str | None = None

    def __post_init__(self) -> None:
        if self.mood not in MOODS:
            raise ValueError(f"mood must be one of {', '.join(MOODS)}")
        if not isinstance(self.reads, Mapping):
            raise TypeError("reads must be an object")


@dataclass(frozen=True, kw_only=True)
class Answer:
    text: str
    tool: str | None = None
    finish_reason: str | None = "stop"
    lost_after: int | None = None
    """Tokens until the connection is gone, where it is lost."""

    @property
    def tokens(self) -> list[str]:
        """Words with the space that follows them."""
        pieces = self.text.split(" ")
        return [*(f"{piece} " for piece in pieces[:-1]), pieces[-1]]


def answer(script: Script, asked: Asked, *, again: bool) -> Answer:
    """`again`: the same was asked just before, and what was said then was not taken."""
    text = _structure(script, asked) if asked.structured else _words(script.mood, asked.draft, again=again)
    match script.mood:
        case "cut_short":
            return Answer(text=text[: len(text) // 2], tool=asked.tool, finish_reason=script.finish_reason)
        case "fails_midway":
            return Answer(text=text, tool=asked.tool, lost_after=script.tokens)
        case _:
            return Answer(text=text, tool=asked.tool)


def _words(mood: str, draft: str, *, again: bool) -> str:
    match mood:
        case "false_amount":
            return FALSE_AMOUNT
        case "false_deed":
            return FALSE_DEED
        case "false_then_right" if not again:
            return FALSE_AMOUNT
        case _:
            return f"{OPENING}{draft}"


def _structure(script: Script, asked: Asked) -> str:
    if script.mood == "garbage":
        return NO_JSON
    heard = asked.last_words.casefold()
    known = [fragment for fragment in script.reads if fragment.casefold() in heard]
    meant = script.reads[max(known, key=len)] if known else [UNHEARD]
    readings = [{"intent": each, "confidence": CONFIDENCE} if isinstance(each, str) else each for each in meant]
    return json.dumps({"readings": readings})
