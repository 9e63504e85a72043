"""A message cut where a second wish may begin."""

import re

_BOUNDARY = re.compile(
    r"(?i)(?<=[^\d.][.!?;])\s+|\n+|(?<=\d[!?;])\s+"
    r"|[,;]?\s+(?:and(?:\s+(?:also|then))?|also|plus|as well as|und(?:\s+(?:auch|dann))?|außerdem"
    r"|y(?:\s+(?:también|además))?|además|et(?:\s+aussi)?|ainsi que)\s+"
    r"|,\s+|\s+[-–—]\s+"
)
_LONGEST = 12


def split(text: str) -> tuple[str, ...]:
    """Clauses in order, each long enough to mean something. Addresses and numbers stay whole."""
    parts = (part.strip(" ,;") for part in _BOUNDARY.split(text))
    return tuple(part for part in parts if len(part) >= 4)[:_LONGEST]
