"""What the details of an action say, read back from JSON."""

from datetime import UTC, datetime


def when(said: str) -> datetime:
    """A date is its first moment in UTC."""
    moment = datetime.fromisoformat(said)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
