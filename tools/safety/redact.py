"""What a log, a trace or a training export may hold: no secrets, and nobody's address or telephone number either.

In the conversation they stay: the customer gives them so that we use them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tools.safety.deep import each_text
from tools.safety.mask import legible, mask
from tools.safety.phones import find_phones
from tools.safety.spans import replaced

_LOCAL = r"[\w!#$'*+^`{|}~%]"
_EMAIL = re.compile(
    rf"(?P<first>{_LOCAL})(?:{_LOCAL}|[.-]){{0,63}}(?:@|%40)(?P<host>[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,8}})"
)


@dataclass(frozen=True)
class _Place:
    start: int
    end: int
    shown: str


def redact(text: str) -> str:
    """`mask`, and `a•••@example.com`, `[phone •••67]`. Pure and idempotent."""
    masked = mask(text).text
    hidden = _EMAIL.sub(lambda found: f"{found['first']}•••@{found['host']}", masked)
    return replaced(hidden, _phones(legible(hidden)))


def _phones(text: str) -> Iterator[_Place]:
    return (_Place(start, end, f"[phone •••{digits[-2:]}]") for start, end, digits in find_phones(text))


def redact_deep(value: Any) -> Any:
    return each_text(value, redact)
