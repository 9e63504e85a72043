"""Which of several shown things is meant: "the second one", "49.00". Only where the message says nothing else."""

import re

from tools.safety.amounts import minor_units
from tools.safety.fold import fold

_ORDINALS = {
    1: "first erste[rsn]? primer[oa]? premi(?:er|ère|ere) newest latest neueste[rsn]? neuste[rsn]?",
    2: "second zweite[rsn]? segund[oa] deuxi[èe]me seconde",
    3: "third dritte[rsn]? tercer[oa]? troisi[èe]me",
    4: "fourth vierte[rsn]? cuart[oa] quatri[èe]me",
    5: "fifth fünfte[rsn]? quint[oa] cinqui[èe]me",
    6: "sixth sechste[rsn]? sext[oa] sixi[èe]me",
    7: "seventh siebte[rsn]? s[ée]ptim[oa] septi[èe]me",
    8: "eighth achte[rsn]? octav[oa] huiti[èe]me",
    9: "ninth neunte[rsn]? noven[oa] neuvi[èe]me",
    10: "tenth zehnte[rsn]? d[ée]cim[oa] dixi[èe]me",
    -1: "last letzte[rsn]? [úu]ltim[oa] derni(?:er|ère|ere) oldest älteste[rsn]?",
}
_MOST = 20
_LEAD = (
    r"(?:yes|ok|okay|no|sorry|please|refund|cancel|choose|pick|take|i|mean|meant|want|need|would|like|i'd|i'm|"
    r"it|it's|its|is|was|that's|that|the|this|my|about|for|of|charge|payment|invoice|ja|bitte|ich|meine|möchte|die|der|das|den|"
    r"sí|si|por|favor|el|la|lo|quiero|oui|je|veux|le|c'est|es)"
)
_NOUN = (
    r"(?:one|charge|payment|invoice|refund|option|entry|item|please|pls|thanks|thank|you|in|on|the|list|abbuchung|zahlung|rechnung|bitte|"
    r"cargo|pago|factura|por|favor|paiement|facture|merci)"
)
# "The last charge" is the newest and "the last one" ends the list, so the last needs to stand alone.
_WORD = "|".join(f"(?P<n{count % 100}>{'|'.join(words.split())})" for count, words in _ORDINALS.items())
_CHOICE = re.compile(
    rf"(?i)(?:{_LEAD}\s+)*(?:(?:{_WORD}|most recent)|(?P<number>\d{{1,2}})(?:st|nd|rd|th|er|e|ème|º|ª|\.)"
    rf"|(?:number|no\.?|nr\.?|num(?:ber|mer)?|número|numéro|option|#)\s*(?P<named>\d{{1,2}}))(?P<noun>(?:\s+{_NOUN})*)"
)
_OF_THE_LIST = re.compile(r"(?i)(?:\s+(?:one|please|pls|thanks|thank|you|bitte|por|favor|merci|in|on|the|list))*")
_NUMBER = r"\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d{1,2})?|\d{1,7}(?:[.,]\d{1,2})?"
_NAMED = re.compile(
    rf"(?i)\b(?:charges?|payments?|invoices?|bills?|debits?|refunds?) (?:of|for|over) (?P<number>{_NUMBER})"
    r"(?=$| ?[.?!](?: |$)| (?:of|on|from|in|that|to|please|pls|twice|again|was|is|and|about)\b)"
)
_BARE = re.compile(rf"(?i)(?:(?:the|it's|it is|one|for|of)\s+)*(?P<number>{_NUMBER})(?:\s+(?:one|please|pls|bitte))*")


def _trimmed(text: str) -> str:
    plain = re.sub(r"[,;:!?…]+(?=\s|$)", " ", fold(text).replace("’", "'"))
    return re.sub(r"\s+", " ", plain).strip(" ")


def find_ordinal(text: str) -> int | None:
    """1 for the first, -1 for the last, when the whole message points into a list; a lone number is a `find_bare`."""
    match = _CHOICE.fullmatch(_trimmed(text)) or _CHOICE.fullmatch(_trimmed(text).rstrip("."))
    if match is None:
        return None
    if digits := match["number"] or match["named"]:
        return int(digits) if 1 <= int(digits) <= _MOST else None
    count = next((count for count in _ORDINALS if match[f"n{count % 100}"]), 1)
    return None if count < 0 and not _OF_THE_LIST.fullmatch(match["noun"]) else count


def find_bare(text: str) -> str | None:
    """The number that is the whole message, with two decimals: `49`, `49,00` and `the 49.00 one` are all `49.00`.

    Or else the one that a charge is named by: `what was the charge of 49 in May?`.
    """
    match = _BARE.fullmatch(_trimmed(text).rstrip(".")) or _NAMED.search(_trimmed(text))
    hundredths = minor_units(match["number"], 2) if match else None
    return f"{hundredths // 100}.{hundredths % 100:02}" if hundredths is not None else None
