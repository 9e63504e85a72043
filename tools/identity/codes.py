"""One-time codes: making them, sealing them, and finding them in what a customer typed."""

import hashlib
import hmac
import re
import secrets
import unicodedata

PLACEHOLDER = "[one-time code]"

_GAP = r"[ \u00a0\u202f\u2010\u2011\u2013-]"
_LETTER = r"[^\W_]"
# Six digits, or three and three. Not a part of a card or phone number, of an amount, of CF-2026-000001.
_CODE = re.compile(
    rf"(?<!{_LETTER})(?<!{_LETTER}[\u2010\u2011\u2013-])(?<!\d[ .,\u00a0\u202f])"
    rf"\d{{3}}{_GAP}?\d{{3}}"
    rf"(?!{_LETTER})(?!{_GAP}\d{{3}})(?![.,]\d)"
)


def new_code() -> str:
    return f"{secrets.randbelow(1_000_000):06}"


def new_nonce() -> str:
    return secrets.token_hex(16)


def seal(pepper: bytes, *, thread: str, address: str, nonce: str, code: str) -> str:
    """HMAC-SHA256 in hex. Without the pepper, a stolen seal cannot be tried against the million codes."""
    message = f"{thread}\0{address.casefold()}\0{nonce}\0{code}"
    return hmac.new(pepper, message.encode(), hashlib.sha256).hexdigest()


def codes_in(text: str) -> list[str]:
    """What looks like a code, in plain digits."""
    return [_digits(match.group()) for match in _CODE.finditer(text)]


def without_codes(text: str) -> str:
    return _CODE.sub(PLACEHOLDER, text)


def _digits(group: str) -> str:
    return "".join(str(unicodedata.digit(character)) for character in group if character.isdigit())
