"""Takes out of a text what must never be kept: PCI DSS 3.3.1, 3.4.1 and 3.5.1, and our customers' other secrets."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tools.safety.fold import fold
from tools.safety.numbers import find_cards, find_ibans
from tools.safety.types import Masked, Secret


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    kind: Secret
    shown: str


_FILLER = (
    r"(?:\W{1,3}(?:is|was|ist|lautet|es|est|number|nummer|code|value|on|the|back|of|my|it|its|it's|this|"
    r"here|de|la|le)){0,4}\W{0,4}"
)
_CVV_CUE = (
    r"(?:cvv2?|cvc2?|csc|cid|(?<!social )security\s+(?:code|number)|card\s+(?:verification|code)|"
    r"verification\s+value"
    r"|kartenpr[üu]f(?:nummer|ziffer)|pr[üu]f(?:nummer|ziffer)|sicherheits(?:code|nummer)"
    r"|c[óo]digo\s+de\s+seguridad|cryptogramme|code\s+de\s+s[ée]curit[ée]|three\s+digits?|3\s+digits?)"
)
_CVV = re.compile(rf"(?i)(?<!\w){_CVV_CUE}{_FILLER}(?<!\d)(?P<secret>\d{{3,4}})(?!\d|[.,/-]\d)")
_CVV_FIRST = re.compile(
    rf"(?i)(?<![\d$€£.,-])(?P<secret>\d{{3,4}})(?!\d)\W{{1,3}}(?:(?:is|as|ist|es|est)\W+(?:the|my|der|el|"
    rf"le)?\W*)?{_CVV_CUE}(?!\w)"
)
# People type a card as it is printed: number, expiry, CVV.
_AFTER_CARD = re.compile(
    r"^\W{0,4}(?:(?:exp\w*|valid\w*)\W{0,3})?\d{1,2}\s?[/-]\s?(?:20)?\d{2}\W{1,4}(?P<secret>\d{3,4})(?!\d|"
    r"[.,/-]\d)"
)
_ONE_TIME = re.compile(
    r"(?i)(?:(?:one[- ]?time|verification|verify|confirmation|login|log-in|sign-?in|access|2fa|mfa|sms|"
    r"e-?mail(?:ed)?|"
    r"einmal|best[äa]tigungs|verifizierungs|verificaci[óo]n|v[ée]rification|six[- ]digit|6[- ]digit)[ -]?"
    r"(?:pass)?(?:code|password|pin|number|c[óo]digo)?|otp|passcode|"
    r"(?<!promo )(?<!discount )(?<!coupon )(?<!zip )(?<!postal )"
    r"(?<!error )(?<!country )(?<!area )(?<!voucher )(?<!gift )(?<!tax )(?:code|c[óo]digo))"
    r"(?:\W{1,3}(?:is|was|ist|lautet|es|est|i|got|received|code|says|"
    r"here)){0,4}\W{1,4}(?P<secret>\d{3}[ -]?\d{3})(?!\d|[.,-]\d)"
)
_KEYS = re.compile(
    r"(?<![A-Za-z0-9_])(?:(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{8,}|whsec_[A-Za-z0-9+/=]{8,}|pi_\w+_secret_\w+|"
    r"(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|"
    r"xox[abeoprs]-[\w-]{10,}|"
    r"sk-[A-Za-z0-9_-]{20,}|AIza[\w-]{30,}|npm_[A-Za-z0-9]{30,}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,})"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
)
_TOKEN = re.compile(
    r"(?i)(?:\b(?:api|access|secret|private|auth|session|refresh)?[ _-]?(?:key|token|secret)|\bbearer|"
    r"\bauthorization)"
    r"(?:\W{1,3}(?:is|was|bearer|ist|es|est|here)){0,2}[\s:=\"'`]{1,5}(?P<secret>[\w+/=.~-]{20,})"
)
_STRIPE_ID = re.compile(r"^(?:[a-z]{2,8}|test_clock|src_client)_[A-Za-z0-9]+$")
_PASSWORD = re.compile(
    r"(?i)(?:(?<!\w)(?:pass(?:word|phrase|wd)?|pwd|kennwort|passwort|contrase[ñn]a|clave|mot\s+de\s+passe|"
    r"pin)(?:\s+(?:code|number))?)"
    r"(?P<link>\s*[:=]\s*|\s+(?:is|was|ist|lautet|es|est)\s*:?\s+|"
    r"\s+(?=[\"'`]))(?P<secret>[\"'`]?[^\s\"'`]{4,}[\"'`]?)"
)
# What people say about a password when they do not give it.
_NO_PASSWORD = re.compile(
    r"(?i)[\"'`]?(?:not|wrong|incorrect|invalid|expired|forgotten|lost|still|never|always|being|required|"
    r"needed|"
    r"rejected|correct|right|good|fine|safe|secure|weak|strong|working|broken|missing|empty|different|same|"
    r"reset|"
    r"asked|too|very|also|changed|saved|stored|unknown|only|what|where|when|that|this|falsch|nicht|vergessen|"
    r"incorrecta|incorrecto|incorrecte|oubli\S*|olvid\S*|\[\S*)[\"'`.,;!?)]*$"
)


def _cards(text: str) -> Iterator[_Span]:
    for start, end, digits in find_cards(text):
        yield _Span(start, end, "card", f"[card ••••{digits[-4:]}]")
        if tail := _AFTER_CARD.match(text[end:]):
            yield _Span(end + tail.start("secret"), end + tail.end("secret"), "cvv", "[cvv]")


def _ibans(text: str) -> Iterator[_Span]:
    for start, end in find_ibans(text):
        yield _Span(start, end, "iban", "[iban]")


def _cvvs(text: str) -> Iterator[_Span]:
    for pattern in (_CVV, _CVV_FIRST):
        for match in pattern.finditer(text):
            yield _Span(*match.span("secret"), "cvv", "[cvv]")


def _codes(text: str) -> Iterator[_Span]:
    for match in _ONE_TIME.finditer(text):
        yield _Span(*match.span("secret"), "code", "[one-time code]")


def _keys(text: str) -> Iterator[_Span]:
    for match in _KEYS.finditer(text):
        yield _Span(*match.span(), "api_key", "[api key]")
    for match in _TOKEN.finditer(text):
        token = match["secret"]
        if re.search(r"\d", token) and re.search(r"[A-Za-z]", token) and not _STRIPE_ID.match(token):
            yield _Span(*match.span("secret"), "api_key", "[api key]")


def _passwords(text: str) -> Iterator[_Span]:
    for match in _PASSWORD.finditer(text):
        word = match["secret"]
        ends_sentence = bool(re.match(r"\s*(?:$|[.,;!?\n]|and\b|und\b|y\b|et\b)", text[match.end("secret") :]))
        odd = bool(re.search(r"[\d\W_]", word.rstrip(".,;!?")))
        given = odd or ends_sentence or match["link"].strip() in {":", "=", ""}
        if given and not _NO_PASSWORD.match(word):
            end = match.start("secret") + len(word.rstrip(",;"))
            yield _Span(match.start("secret"), end, "password", "[password]")


_FINDERS: tuple[Callable[[str], Iterator[_Span]], ...] = (_keys, _cards, _ibans, _cvvs, _codes, _passwords)


def _without_overlaps(spans: list[_Span]) -> list[_Span]:
    """In order of the text; where two claim the same characters, the finder listed first wins."""
    kept: list[_Span] = []
    for span in spans:
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda span: span.start)


def _shown(span: _Span, *, with_cvv: bool) -> str:
    # A card's last four beside the place where its CVV stood is more than anyone needs.
    return "[card]" if span.kind == "card" and with_cvv else span.shown


def mask(text: str) -> Masked:
    """The text without card numbers, CVVs, IBANs, one-time codes, API keys and passwords. Pure and idempotent."""
    folded = fold(text)
    spans = _without_overlaps([span for find in _FINDERS for span in find(folded)])
    with_cvv = any(span.kind == "cvv" for span in spans)
    parts, at = [], 0
    for span in spans:
        parts += [text[at : span.start], _shown(span, with_cvv=with_cvv)]
        at = span.end
    found = tuple(dict.fromkeys(span.kind for span in spans))
    return Masked(text="".join([*parts, text[at:]]), found=found)
