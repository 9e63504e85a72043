"""Exact parsers of values in a customer's message. They find what is written and never guess."""

import re
from collections.abc import Iterator
from datetime import date

import phonenumbers

from tools.nlu.choices import find_bare, find_ordinal
from tools.nlu.counting import COUNT, count_of
from tools.nlu.dates import find_date
from tools.nlu.spans import find_days, find_months, find_until
from tools.nlu.tax_ids import find_tax_id
from tools.nlu.types import Slots
from tools.nlu.wishes import find_company, find_fields, find_interval, find_seats
from tools.safety.amounts import Written, find_amounts
from tools.safety.fold import fold
from tools.safety.numbers import is_card

EMAIL = re.compile(
    r"(?<![\w.+@-])[A-Za-z0-9](?:[\w.+'-]*[\w+-])?@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,24}(?![\w@-])"
)
INVOICE_NUMBER = re.compile(r"(?<![\w-])([A-Za-z0-9]{4,12})[-‑–](\d{4})(?![\w]|-\d)")
_ENDING = (
    r"(?:end(?:ing|s|ed)?(?:\s+(?:in|with|on))?|last\s+(?:four|4)(?:\s+(?:digits|numbers))?(?:\s+(?:are|is|of))?|finish(?:ing|es)\s+(?:in|with)|"
    r"endet?\s+(?:auf|mit)|mit\s+der\s+endung|endziffern|letzten?\s+(?:vier|4)(?:\s+(?:ziffern|stellen))?(?:\s+sind)?|"
    r"(?:que\s+)?(?:termina(?:da|do)?|acaba(?:da|do)?)\s+(?:en|con)|[úu]ltimos\s+(?:cuatro|4)(?:\s+d[ií]gitos)?(?:\s+son)?|"
    r"(?:se\s+)?(?:terminant|finissant|finit|termine)\s+(?:par|en)|(?:quatre|4)\s+derniers\s+chiffres(?:\s+sont)?|"
    r"[•*·x]{2}[•*·x -]{0,20})"
)
LAST4 = re.compile(rf"(?i)(?:(?<!\w){_ENDING}|[•*·])\s*:?\s*(\d{{4}})(?!\d)")
_CARD_LAST4 = re.compile(r"(?i)\b(?:visa|mastercard|amex|card|karte|tarjeta|carte)\s+(?:no\.?\s+)?(\d{4})(?![\d-])")
_PARTS = (
    r"(?:parts?|instal{1,2}ments?|payments?|portions?|pieces?|chunks?|go|goes|times|split|teile?n?|raten?|teilzahlungen|teilbetr[äa]gen?|"
    r"monatsraten|partes|plazos|cuotas|pagos|mensualidades|fois|mensualit[ée]s|versements|paiements|tranches|[ée]ch[ée]ances)"
)
_MONTHS = r"(?:months?|monate?n?|meses|mois)"
_INSTALMENTS = (
    re.compile(
        rf"(?i)(?<![\w$€£.,/-]){COUNT}[\s-]+(?:(?:equal|smaller|small|separate|monthly|gleiche[nr]?|monatlichen?)\s+)*{_PARTS}\b"
    ),
    re.compile(
        rf"(?i)\b(?:over|in|across|into|within|spread(?:\s+\w+){{0,3}}|split(?:\s+\w+){{0,3}}|über|auf|en|durante|sur|pay\w*(?:\s+\w+){{0,3}})\s+(?:the\s+next\s+|a\s+|los\s+próximos\s+)?{COUNT}[\s-]+{_MONTHS}\b"
    ),
    re.compile(
        rf"(?i)\b(?:in(?:to)?|(?:split|divide)(?:\s+\w+){{0,3}}\s+by)\s+{COUNT}(?=\s*(?:$|[.,!?]|please|bitte))"
    ),
    re.compile(r"(?i)\bin\s+(?P<count>half|halves|thirds|quarters)\b"),
    re.compile(rf"(?i)^\W*{COUNT}[\s-]+{_MONTHS}\W*(?:please|bitte|por favor|s'il vous pla[iî]t)?\W*$"),
)
# "I was charged two times" and "renews in 3 months" ask for no parts: these words need a plan beside them.
_VAGUE = re.compile(
    r"(?i)(?:times|payments?|go|goes|pagos?|paiements?|fois)$|^(?:in|within|en)\b.*(?:months?|monate?n?|meses|mois)$"
)
_ONE = re.compile(r"(?i)^(?:one|eine?r?|un[aoe]?)\b")
_PLAN = re.compile(
    r"(?i)\b(?:pay|split|spread|divide|settle|plan|instal\w*|make|zahl\w*|abzahl\w*|raten\w*|pagar\w*|payer|r[ée]gler|fraccion\w*)\b"
)
_NO_PLAN = re.compile(
    r"(?i)\b(?:charged|paid|tried|billed|called|asked|refund\w*|last|ago|since|abgebucht|belastet|cobrad\w+|d[ée]bit\w+)\b"
)


def find_email(text: str) -> re.Match[str] | None:
    return EMAIL.search(text)


def _invoice_numbers(text: str) -> Iterator[re.Match[str]]:
    for match in INVOICE_NUMBER.finditer(text):
        prefix = match.group(1)
        # `2025-2026` and `card-4242` are neither; an invoice's prefix has a digit, or is all capitals.
        if not (prefix.isdigit() and len(prefix) < 6) and (any(map(str.isdigit, prefix)) or prefix.isupper()):
            yield match


def find_invoice_number(text: str) -> str | None:
    """`ABCD1234-0001`, in upper case."""
    found = next(_invoice_numbers(text), None)
    return f"{found.group(1).upper()}-{found.group(2)}" if found else None


def _taken(text: str, amounts: tuple[Written, ...]) -> list[tuple[int, int]]:
    """Spans that are something else than a telephone number."""
    spans = [match.span() for match in _invoice_numbers(text)]
    spans += [match.span() for match in EMAIL.finditer(text)]
    return spans + [(amount.start, amount.end) for amount in amounts]


def _looks_like_phone(written: str) -> bool:
    digits = re.sub(r"\D", "", written)
    cents = re.fullmatch(r"\d+[.,]\d{2}", written.strip())
    date = re.fullmatch(r"\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{2,4}", written.strip())
    card = len(digits) > 15 or (is_card(digits) and not written.lstrip().startswith("+"))
    return 7 <= len(digits) <= 15 and not (cents or date or card)


def find_phone(text: str, *, region: str = "US") -> tuple[str, int, int] | None:
    """(E.164, start, end). Without a leading + a number is read as one of `region`, and must be valid there."""
    folded = fold(text)
    taken = _taken(folded, find_amounts(folded))
    for match in phonenumbers.PhoneNumberMatcher(folded, region):
        overlaps = any(match.start < end and match.end > start for start, end in taken)
        inside_code = re.search(r"[A-Za-z][_-]?$", folded[: match.start])
        if not (overlaps or inside_code) and _looks_like_phone(match.raw_string):
            e164 = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
            return e164, match.start, match.end
    return None


def find_last4(text: str) -> str | None:
    """Of a card that is named by its end: `card ending 4242`, `••••4242`, `visa 4242`."""
    folded = fold(text)
    match = LAST4.search(folded) or _CARD_LAST4.search(folded)
    return match.group(1) if match else None


def _asks_for_plan(text: str, match: re.Match[str]) -> bool:
    framed = re.search(r"(?i)\b(?:in|into|over|as|en)\s+$", text[: match.start()]) or (
        text[match.end() :].startswith(" of ") and not _ONE.search(match.group())
    )
    counted = re.search(r"(?i)(?:months?|monate?n?|meses|mois)$", match.group())
    return bool(_PLAN.search(text) or (framed and not counted)) and not _NO_PLAN.search(text)


def find_instalments(text: str) -> int | None:
    """How many parts were asked for, 1 to 999, whether or not anybody would grant them."""
    for pattern in _INSTALMENTS:
        for match in pattern.finditer(text):
            count = count_of(match["count"])
            vague = bool(_VAGUE.search(match.group()) or _ONE.search(match.group()))
            if count and not (vague and not _asks_for_plan(text, match)):
                return count
    return None


def _find_amount(text: str) -> tuple[tuple[int, str], ...]:
    """Every meaning of the first amount, likeliest first."""
    return next((written.readings for written in find_amounts(text) if written.readings), ())


def parse(text: str, *, region: str = "US", today: date | None = None) -> Slots:
    """All slots of one message. A day without a year is the last one up to `today`."""
    email, phone = find_email(text), find_phone(text, region=region)
    amounts = _find_amount(text)
    amount, currency = amounts[0] if amounts else (None, None)
    day, month = find_date(text, today)
    ordinal = find_ordinal(text)
    until = find_until(text, today)
    seats, more_seats = find_seats(text)
    return Slots(
        email=email.group().lower() if email else None,
        phone=phone[0] if phone else None,
        amount=amount,
        currency=currency,
        amounts=amounts if len(amounts) > 1 else (),
        invoice_number=find_invoice_number(text),
        last4=find_last4(text),
        instalments=find_instalments(text),
        ordinal=ordinal,
        day=day.isoformat() if day else None,
        month=month,
        bare=find_bare(text) if amount is None and ordinal is None else None,
        months=find_months(text),
        days=find_days(text),
        until=until.isoformat() if until else None,
        seats=seats,
        more_seats=more_seats,
        interval=find_interval(text),
        company=find_company(text),
        fields=find_fields(text),
        tax_id=find_tax_id(text),
    )
