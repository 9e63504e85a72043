"""Time as the billing team counts it: Monday to Friday, 09:00 to 18:00 UTC, as `knowledge/contact.md` says."""

from datetime import UTC, date, datetime, time, timedelta

import numpy as np

OPENS, CLOSES = time(9, tzinfo=UTC), time(18, tzinfo=UTC)
_HOUR = timedelta(hours=1)


def opening(day: date) -> datetime:
    """When the team comes in, whether or not it does on that day."""
    return datetime.combine(day, OPENS)


def after_business_days(start: datetime, days: int) -> datetime:
    """Close of the last of so many business days. The first of them is the one after the day of `start`."""
    return datetime.combine(_later(start.astimezone(UTC).date(), days), CLOSES)


def one_business_day_after(start: datetime) -> datetime:
    """The same time on the next business day, up to the full hour. Counts from when people are here next."""
    begun = _when_people_are_here(start.astimezone(UTC))
    same_time = datetime.combine(_later(begun.date(), 1), begun.timetz())
    hour = same_time.replace(minute=0, second=0, microsecond=0)
    return hour if hour == same_time else hour + _HOUR


def _when_people_are_here(moment: datetime) -> datetime:
    today = moment.date()
    if np.is_busday(today) and moment.timetz() < CLOSES:
        return max(moment, opening(today))
    return opening(_later(today, 1))


def _later(day: date, days: int) -> date:
    found: date = np.busday_offset(day, days, roll="backward").astype(object)
    return found
