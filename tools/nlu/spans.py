"""How long, and until when: "for two months", "ten more days", "until Friday". What two words disagree on is none."""

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from tools.nlu.counting import COUNT, count_of
from tools.nlu.dates import upcoming_days

T = TypeVar("T")

_MORE = r"(?:more|extra|additional|further|full|whole|weitere[nr]?|m[áa]s|de\s+plus)"
_ONE = r"(?P<one>an?|another|ein(?:e[nm]?)?|un[ea]?|otra|otro)"
_MONTHS = re.compile(
    rf"(?i)(?<![\w.,$€£/-])(?:{COUNT}|{_ONE})[\s-]+(?:{_MORE}\s+)?(?:months?|monate?n?|mes(?:es)?|mois)\b"
)
_DAYS = re.compile(
    rf"(?i)(?<![\w.,$€£/-])(?:{COUNT}|{_ONE})[\s-]+(?:{_MORE}\s+)?"
    r"(?P<unit>days?|tage?n?|d[ií]as?|jours?|weeks?|wochen?|semanas?|semaines?)\b"
)
_FORTNIGHT = re.compile(r"(?i)\b(?:a|another|one)\s+fortnight\b")
_PAST = re.compile(r"(?i)^\s*(?:ago|overdue|earlier|before)\b|^\s*(?:old|since)\b")
_LAST = re.compile(r"(?i)\b(?:last|past|previous|since|seit|vor|hace|depuis|every|each|per)\s+(?:the\s+)?$|\d\s+$")
_WEEK = re.compile(r"(?i)^(?:w|s)")
_PREPOSITIONS = r"until|till|til|by|on|to|at|bis(?:\s+zum)?|am|zum|hasta|el|jusqu['’]?(?:au|[àa])?|au"
_TO = rf"\b(?:{_PREPOSITIONS})\s+(?:the\s+|der\s+|le\s+)?"
_WEEKDAYS = (
    "monday mon montag lunes lundi", "tuesday tue tues dienstag martes mardi",
    "wednesday wed mittwoch miércoles miercoles mercredi", "thursday thu thurs donnerstag jueves jeudi",
    "friday fri freitag viernes vendredi", "saturday sat samstag sábado sabado samedi",
    "sunday sun sonntag domingo dimanche",
)  # fmt: skip
_DAY_OF_WEEK = {name: number for number, names in enumerate(_WEEKDAYS) for name in names.split()}
_WEEKDAY = re.compile(
    rf"(?i){_TO}(?:next\s+|this\s+|coming\s+)?(?P<name>{'|'.join(sorted(_DAY_OF_WEEK, key=len, reverse=True))})\b"
)
_DAY_OF_MONTH = re.compile(rf"(?i){_TO}(?P<day>\d{{1,2}})(?:st|nd|rd|th)\b(?!\s+(?:of|de)\b)")
_END = re.compile(
    rf"(?i){_TO}end\s+of\s+(?:the|this)\s+month\b|\b(?:zum\s+)?monatsende\b|\bfin\s+de\s+mes\b|\bfin\s+du\s+mois\b"
)
_TOMORROW = re.compile(rf"(?i){_TO}(?:tomorrow|morgen|mañana|demain)\b")
_DATED = re.compile(rf"(?i){_TO}$")


def find_months(text: str) -> int | None:
    """`2` of "for two months". What is past ("3 months ago") is no wish."""
    return _only(_count(match) for match in _MONTHS.finditer(text) if not _is_past(text, match))


def find_days(text: str) -> int | None:
    """Days, or weeks of seven."""
    found = [
        _count(match) * (7 if _WEEK.match(match["unit"]) else 1)
        for match in _DAYS.finditer(text)
        if not _is_past(text, match)
    ]
    return _only([*found, *(14 for _ in _FORTNIGHT.finditer(text))])


def find_until(text: str, today: date | None = None) -> date | None:
    """The day that something is to wait for, `today` or later: a date, a weekday, the end of the month."""
    return _only(_days(text, today or datetime.now(UTC).date()))


def _days(text: str, today: date) -> Iterator[date]:
    for start, day in upcoming_days(text, today):
        if day >= today and _DATED.search(text[:start]):
            yield day
    for match in _WEEKDAY.finditer(text):
        ahead = (_DAY_OF_WEEK[match["name"].lower()] - today.weekday()) % 7
        yield today + timedelta(days=ahead or 7)
    for match in _DAY_OF_MONTH.finditer(text):
        yield from _next(int(match["day"]), today)
    if _END.search(text):
        yield today.replace(day=monthrange(today.year, today.month)[1])
    if _TOMORROW.search(text):
        yield today + timedelta(days=1)


def _next(day: int, today: date) -> Iterator[date]:
    """The next month that has such a day, from today on."""
    for ahead in range(3 if day else 0):
        year, month = divmod(today.year * 12 + today.month - 1 + ahead, 12)
        if day <= monthrange(year, month + 1)[1] and date(year, month + 1, day) >= today:
            yield date(year, month + 1, day)
            return


def _count(match: re.Match[str]) -> int:
    return 1 if match["one"] else count_of(match["count"])


def _is_past(text: str, match: re.Match[str]) -> bool:
    return bool(_PAST.match(text[match.end() :]) or _LAST.search(text[: match.start()]))


def _only(found: Iterable[T]) -> T | None:
    different = set(found)
    return different.pop() if len(different) == 1 else None
