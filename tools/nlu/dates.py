"""Days and months as customers write them, in English, German, Spanish and French."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

_NAMES = (
    "january jan januar jänner enero ene janvier janv",
    "february feb februar febrero février fevrier févr fév",
    "march mar märz maerz marzo mars",
    "april apr abril abr avril avr",
    "may mai mayo",
    "june jun juni junio juin",
    "july jul juli julio juillet juil",
    "august aug agosto août aout",
    "september sept sep septiembre septembre",
    "october oct oktober okt octubre octobre",
    "november nov noviembre novembre",
    "december dec dezember dez diciembre dic décembre decembre déc",
)
_MONTHS = {name: number for number, names in enumerate(_NAMES, 1) for name in names.split()}
# By themselves these are other words too ("you may", "Jan"), so a month needs something beside it that says so.
_UNSURE = {"march", "may", "mars", "mai"} | {name for name in _MONTHS if len(name) < 4}
_NAME = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY = r"(?<![\d.,$€£-])(?P<day>\d{1,2})"
_YEAR = r"(?:,?\s+(?:de\s+|of\s+)?(?P<year>20\d\d)(?![\d.,]\d|\d))?"
_DAYS = (
    re.compile(r"(?<![\d-])(?P<year>20\d\d)-(?P<number>\d{2})-(?P<day>\d{2})(?![\d-])"),
    re.compile(r"(?<![\d./])(?P<day>\d{1,2})\.(?P<number>\d{1,2})\.(?P<year>20\d\d)(?!\d)"),
    re.compile(rf"(?i){_DAY}(?:st|nd|rd|th|er|\.|º)?\s+(?:of\s+|de\s+)?(?P<name>{_NAME})\b\.?{_YEAR}"),
    re.compile(
        rf"(?i)\b(?P<name>{_NAME})\b\.?\s+(?:the\s+)?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\w€$]|[.,:]\d){_YEAR}"
    ),
)
_MONTH = re.compile(rf"(?i)(?<![\w-])(?P<name>{_NAME})(?![\w-])")
_BEFORE = re.compile(r"(?i)\b(?:in|from|of|for|last|since|the|my|im|vom|für|aus|de|en|du|pour)\s+$")
_AFTER = re.compile(
    r"(?i)^(?:'s|’s|\.?\s+(?:20\d\d|charge|payment|invoice|bill|one|abbuchung|zahlung|rechnung|cargo|pago|factura))\b"
)
_LEAP = 8


def _on(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _latest(month: int, day: int, today: date) -> date | None:
    """The last such day that is not after today; a 29th of February may be eight years ago."""
    past = (_on(today.year - back, month, day) for back in range(_LEAP + 1))
    return next((found for found in past if found and found <= today), None)


def _day_of(match: re.Match[str], today: date) -> date | None:
    parts = match.groupdict()
    month = int(parts["number"]) if parts.get("number") else _MONTHS[parts["name"].lower()]
    day = int(parts["day"])
    return _on(int(parts["year"]), month, day) if parts["year"] else _latest(month, day, today)


def days_written(text: str, today: date) -> Iterator[tuple[int, int, date | None]]:
    """Start and end of each day that is named, and which one it is; None for one that no calendar has."""
    for pattern in _DAYS:
        for match in pattern.finditer(text):
            yield match.start(), match.end(), _day_of(match, today)


def upcoming_days(text: str, today: date) -> Iterator[tuple[int, date]]:
    """Where each day is named, and which one it is: without a year the next one, `today` or later."""
    for pattern in _DAYS:
        for match in pattern.finditer(text):
            parts = match.groupdict()
            found = _day_of(match, today) if parts["year"] else _soonest(_MONTHS[parts["name"].lower()], match, today)
            if found:
                yield match.start(), found


def _soonest(month: int, match: re.Match[str], today: date) -> date | None:
    later = (_on(today.year + ahead, month, int(match["day"])) for ahead in range(_LEAP + 1))
    return next((found for found in later if found and found >= today), None)


def _months_in(text: str) -> Iterator[int]:
    alone = text.strip(" \t\n.,!?").lower()
    for match in _MONTH.finditer(text):
        name = match["name"].lower()
        beside = _BEFORE.search(text[: match.start()]) or _AFTER.search(text[match.end() :])
        if name not in _UNSURE or name == alone or beside:
            yield _MONTHS[name]


def find_date(text: str, today: date | None = None) -> tuple[date | None, int | None]:
    """The one day that is named, or else the one month (1 to 12). Two different ones are none.

    Without a year it is the most recent such day up to `today`.
    """
    today = today or datetime.now(UTC).date()
    days = {day for _, _, day in days_written(text, today)}
    if days:
        return (days.pop() if len(days) == 1 else None), None
    months = set(_months_in(text))
    return None, months.pop() if len(months) == 1 else None
