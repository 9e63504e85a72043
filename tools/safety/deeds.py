"""Claims that something was done. Offers, conditions, questions and negations are none."""

import re
from collections.abc import Iterator
from pathlib import Path

from tools.safety.patterns import load

_DEEDS = load(Path(__file__).with_name("deeds.yaml"))
_OPEN = _DEEDS.pop("open")
_CLAUSE = re.compile(
    r"[;:!?…\n]+|\.\s+|,\s+|\s+[-–—]\s+|"
    r"\s+(?=(?:but|and|so|aber|und|pero|mais)\s+"
    r"(?:i|we|your|the|it|ich|wir|ihr|dein|he|se|j|nous|votre|le|la|el|su|tu)\b)",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"(?i)\W*(?:if|once|when|until|unless|as soon as|wenn|falls|sobald|cuando|una vez|lorsque|quand|d[èe]s|une fois)\b"
)
_ASKS = re.compile(
    r"(?i)^\W*(?:have|has|had|was|were|is|are|did|do|does|wurden?|ist|haben|hat|ha|han|fue|est-ce|a-t-|avez)\b"
)
_PRESENT = re.compile(r"(?i)\b(?:is|are)\b(?!.*\b(?:been|now|just|already)\b)")
_ONE_OF_MANY = re.compile(r"(?i)\b(?:an?|any|every|each|such|most|all)\b|^\W*\w+s\s+are\b")
_RULE = re.compile(
    r"(?i)^\W+(?:\w+\W+){0,4}?(?:when|if|unless|only|within|at the end|by|as long as|in case|per|under)\b"
)


def _is_rule(clause: str, match: re.Match[str]) -> bool:
    """`Duplicate charges are refunded in full` is policy, `Your charge is refunded` is news."""
    if not _PRESENT.search(match.group()):
        return False
    said = clause[: match.end()]
    are_others = re.search(r"(?i)\bare\b", match.group()) and not re.search(r"(?i)\byou", said)
    about_many = _ONE_OF_MANY.search(said) or are_others
    return bool(about_many or _RULE.match(clause[match.end() :]))


def _clauses(sentence: str) -> Iterator[str]:
    question = sentence.rstrip().endswith("?")
    pieces = [piece for piece in _CLAUSE.split(sentence) if piece.strip()]
    carried = False
    for piece in pieces:
        asked = question and bool(_ASKS.match(piece))
        # "Once it is approved, your refund is issued": the condition covers what follows it too.
        if not asked and not carried:
            yield piece
        carried = bool(_CONDITION.match(piece))


def find_deeds(sentence: str) -> tuple[tuple[str, str], ...]:
    """(kind of deed, the words that claim it), each kind once."""
    found: dict[str, str] = {}
    for clause in _clauses(sentence):
        for deed, pattern in _DEEDS.items():
            for match in pattern.finditer(clause):
                if not (_OPEN.search(clause[: match.end()]) or _is_rule(clause, match)):
                    found.setdefault(deed, match.group().strip())
    return tuple(found.items())
