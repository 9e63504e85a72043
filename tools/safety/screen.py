"""Words in a message that try to steer the agent instead of talking to it. The same text, the same verdict.

A flag is no judgement of the customer: the graph answers billing questions all the same, it only keeps the text
away from the model. Nothing here protects money or identity; those never depend on what a model reads.
"""

import base64
import binascii
import codecs
import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from tools.safety.fold import ZERO_WIDTH, fold, simplify
from tools.safety.patterns import load
from tools.safety.types import Safe, ScreenVerdict, Unknown, Unsafe

RULES = load(Path(__file__).with_name("injections.yaml"))
_SQUEEZED = RULES.pop("squeezed")
_LONGEST = 20_000
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")
_HEX = re.compile(r"(?:(?:\\x|0x|%)?[0-9a-fA-F]{2}[ ,]?){12,}")
_SPACED_OUT = re.compile(r"(?:\b\w[ .\-_*]){6,}\w\b")
_TAG_CHARACTERS = re.compile(r"[\U000e0020-\U000e007e]{4,}")
_HIDDEN_IN_WORDS = re.compile(rf"(?:\w{ZERO_WIDTH}+){{5,}}\w")
_LEET = tuple(str.maketrans("013457@$!", f"o{one}eastasi") for one in "il")


def _rule_in(text: str) -> str | None:
    return next((name for name, pattern in RULES.items() if pattern.search(text)), None)


def _from_base64(token: str) -> str:
    padded = token.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _from_hex(run: str) -> str:
    digits = re.sub(r"\\x|0x|[^0-9a-fA-F]", "", run)
    try:
        return bytes.fromhex(digits[: len(digits) // 2 * 2]).decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _decoded(text: str) -> Iterator[str]:
    """Every way in which the text could carry another one."""
    yield from (_from_base64(match.group()) for match in _BASE64.finditer(text))
    yield from (_from_hex(match.group()) for match in _HEX.finditer(text))
    yield "".join(chr(ord(c) - 0xE0000) for c in "".join(_TAG_CHARACTERS.findall(text)))
    yield codecs.encode(text, "rot13")
    yield text[::-1]
    if "%" in text:
        yield urllib.parse.unquote(text)


def _disguised(plain: str) -> Iterator[str]:
    """Plain words with d1gits for letters."""
    if re.search(r"[a-zA-Z][013457@$!]|[013457@$!][a-zA-Z]", plain):
        yield from (plain.translate(table) for table in _LEET)


def _is_spaced_out(plain: str) -> bool:
    """O r d e r s that are written l-i-k-e this."""
    runs = (re.sub(r"[\W_]+", "", run.group()) for run in _SPACED_OUT.finditer(plain))
    return any(_SQUEEZED.search(run) for run in runs)


def screen(text: str) -> ScreenVerdict:
    """`Unsafe` with the name of the rule, or `Safe`; `Unknown` for a text too long to read in bounded time."""
    if len(text) > _LONGEST:
        return Unknown(why=f"longer than {_LONGEST} characters")
    plain = simplify(text)
    if rule := _rule_in(plain):
        return Unsafe(rule=rule)
    hidden = any(_rule_in(simplify(inner)) for inner in (*_decoded(text), *_disguised(plain)) if inner)
    if hidden or _is_spaced_out(plain) or _TAG_CHARACTERS.search(text) or _HIDDEN_IN_WORDS.search(fold(text)):
        return Unsafe(rule="encoded_payload")
    return Safe()
