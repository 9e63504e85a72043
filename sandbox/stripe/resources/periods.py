"""Billing periods on the calendar, in UTC."""

import calendar
from datetime import UTC, datetime, timedelta

from sandbox.stripe.errors import Json


def add_months(moment: int, months: int) -> int:
    """The same day and time so many months on; the last day where the month is shorter."""
    start = datetime.fromtimestamp(moment, UTC)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def add_intervals(anchor: int, recurring: Json, times: int) -> int:
    """`times` billing intervals after the anchor; counted from the anchor so that 31 January keeps its day."""
    count = recurring["interval_count"] * times
    match recurring["interval"]:
        case "month":
            return add_months(anchor, count)
        case "year":
            return add_months(anchor, 12 * count)
        case unit:
            days = count * (7 if unit == "week" else 1)
            return int((datetime.fromtimestamp(anchor, UTC) + timedelta(days=days)).timestamp())


def day(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%d %b %Y}"
