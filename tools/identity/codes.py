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
# What says by itself that six digits are a code: nothing beside them, or the word.
_ALONE = re.compile(rf"""[\s"'.,!?()\[\]*]*{_CODE.pattern}[\s"'.,!?()\[\]*]*""")
_TOLD = re.compile(
    r"(?i)(?<!\w)(?:(?:one[- ]?time|login|verification|security|best[äa]tigungs|sicherheits|einmal)[- ]?)?"
    r"(?:code|c[óo]digo|otp)\s{0,5}(?:(?:(?:that|which)\s{1,5})?(?:i|you|we)\s{1,5}(?:\w{1,20}\s{1,5}){1,4}?)?"
    rf"(?:is|was|says|ist|lautet|war|es|est|:|=|,){{0,3}}\s{{0,5}}(?P<after>{_CODE.pattern})"
    rf"|(?P<before>{_CODE.pattern})\s{{0,5}}(?:is|was|ist|es|est|,|-)\s{{0,5}}(?:the|my|your|der|mein|el|mi|le|mon)\s{{1,5}}(?:code|c[óo]digo)(?!\w)"
)
_OTHER_CODE = re.compile(
    r"(?i)(?:promo\w*|discount|coupon|voucher|gift|zip|post\w*|error|country|area|sort|bar|product|order|bank|tax|access|status|"
    r"gutschein|rabatt|fehler|descuento|qr|reference|customer)[\s-]*$"
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


def without_told_codes(text: str) -> str:
    """Only what can be nothing else: a message that is a code, or digits that are called one."""
    if _ALONE.fullmatch(text):
        return without_codes(text)
    return _TOLD.sub(lambda match: match.group() if _is_other(match) else without_codes(match.group()), text)


def _is_other(match: re.Match[str]) -> bool:
    return match["after"] is not None and bool(_OTHER_CODE.search(match.string[: match.start()]))


def _digits(group: str) -> str:
    return "".join(str(unicodedata.digit(character)) for character in group if character.isdigit())
