"""The truth gate: every checkable claim in a sentence is a fact of this conversation, or it is named."""

import re
from collections.abc import Iterator

from tools.safety.amounts import find_amounts, minor_units
from tools.safety.dates import find_dates, find_durations, is_borne_out, is_promised
from tools.safety.deeds import find_deeds
from tools.safety.types import Facts, Falsehood

_STRIPE = "in|ch|py|pi|re|pyr|sub|cus|cn|il|ii|si|txn|dp|du|tkt|ticket|act|action"
_IDENTIFIER = re.compile(
    rf"(?<![\w-])(?:CF-\d{{4}}-\d{{6}}|[A-Z0-9]{{4,12}}-\d{{4}}|(?:{_STRIPE})_[A-Za-z0-9]{{6,}})(?![\w-]|\.\d)"
)
_NAMED = re.compile(
    r"(?i)\b(?:invoice|receipt|ticket|case|reference|rechnung|beleg|vorgang|factura|recibo|caso|facture|re[çc]u|dossier)"
    r"(?:\s+(?:number|no\.?|nr\.?|nummer|n[úu]mero|num[ée]ro|id|#))*\s*[:#]?\s*"
    r"(?P<id>(?!\d+-(?:hour|day|week|month|year|business))(?=[A-Za-z0-9-]*\d)[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+|#?\d{4,})"
    r"(?![\w-])"
)
_CARD_WORDS = (
    r"ending(?:\s+(?:in|with))?|ends\s+(?:in|with)|last\s+(?:four|4)(?:\s+(?:digits|numbers))?(?:\s+(?:are|is|of))?"
    r"|endend\s+auf|endet\s+auf|mit\s+(?:der\s+)?endung|endziffern"
    r"|terminada\s+en|termina\s+en|acabada\s+en|que\s+termina\s+en|(?:se\s+)?terminant\s+par|finissant\s+par"
    r"|visa|mastercard|amex|american express|discover|card|karte|tarjeta|carte|[•*x·]{2}[•*x·\s-]{0,20}"
)
_LAST4 = re.compile(rf"(?i)(?:{_CARD_WORDS})\s*:?\s*(?P<id>\d{{4}})(?![\d-])")
_BARE = re.compile(
    r"(?<![\w.,/:#$€£-])\d{1,3}(?:[.,’' \u00a0\u202f]\d{3})*[.,]\d{2}"
    r"(?![\w%]|[.,/:]\d|\s?(?:%|percent|prozent|por ciento|pour cent))"
)
_NOT_MONEY = re.compile(r"(?i)(?:section|version|chapter|abschnitt|sección|at|um|v|§|kapitel)\s*$")
_NUMBER_WORDS = (
    r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty|seventy|eighty"
    r"|ninety|hundred|thousand|zwanzig|drei(?:ß|ss)ig|vierzig|fünfzig|hundert|veinte|treinta|cuarenta|cincuenta|cien"
    r"|vingt|trente|quarante|cinquante|cent"
)
_IN_WORDS = re.compile(
    rf"(?i)\b(?:(?:{_NUMBER_WORDS})[\s-]+(?:and\s+)?)+(?:dollars?|bucks|euros?|pounds?|francs?|dólares|us-dollar)\b"
)


def _blank(text: str, spans: list[tuple[int, int]]) -> str:
    """What has been read as one kind of claim is not read again as another."""
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _false_amounts(sentence: str, facts: Facts) -> Iterator[Falsehood]:
    known = {(abs(units), currency.lower()) for units, currency in facts.amounts}
    written = find_amounts(sentence)
    for amount in written:
        if known.isdisjoint(amount.readings):
            yield Falsehood(kind="amount", claim=amount.text)
    rest = _blank(sentence, [(amount.start, amount.end) for amount in written])
    values = {units for units, _ in known}
    for match in _BARE.finditer(rest):
        if minor_units(match.group(), 2) not in values and not _NOT_MONEY.search(rest[: match.start()]):
            yield Falsehood(kind="amount", claim=match.group())
    # Sums in words cannot be compared, so they are never borne out.
    yield from (Falsehood(kind="amount", claim=match.group()) for match in _IN_WORDS.finditer(rest))


def _identifiers(sentence: str) -> Iterator[tuple[int, int, str]]:
    for match in _NAMED.finditer(sentence):
        yield *match.span("id"), match["id"]
    for match in _IDENTIFIER.finditer(sentence):
        if not re.fullmatch(r"(?:19|20)\d\d-(?:19|20)\d\d", match.group()):
            yield *match.span(), match.group()


def _false_identifiers(found: list[tuple[int, int, str]], facts: Facts) -> Iterator[Falsehood]:
    known = {identifier.lower() for identifier in facts.identifiers}
    for claim in dict.fromkeys(identifier for _, _, identifier in found):
        if claim.lower().lstrip("#") not in known:
            yield Falsehood(kind="identifier", claim=claim)


def check(sentence: str, facts: Facts) -> tuple[Falsehood, ...]:
    """Every amount, date, identifier, card, span of time and deed that `facts` does not bear out."""
    identifiers = list(_identifiers(sentence))
    rest = _blank(sentence, [(start, end) for start, end, _ in identifiers])
    dates = find_dates(rest)
    rest = _blank(rest, [(found.start, found.end) for found in dates])
    cards = list(_LAST4.finditer(rest))
    falsehoods = [
        *_false_identifiers(identifiers, facts),
        *(Falsehood(kind="date", claim=found.text) for found in dates if not is_borne_out(found, facts.dates)),
        *(Falsehood(kind="last4", claim=card["id"]) for card in cards if card["id"] not in facts.last4s),
        *_false_amounts(rest, facts),
        *(
            Falsehood(kind="duration", claim=d.text)
            for d in find_durations(rest)
            if not is_promised(d, facts.durations)
        ),
        *(Falsehood(kind="deed", claim=words) for deed, words in find_deeds(sentence) if deed not in facts.deeds),
    ]
    return tuple(dict.fromkeys(falsehoods))
