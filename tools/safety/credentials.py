"""One-time codes, keys and passwords."""

import re
from collections.abc import Iterator

from tools.safety.spans import Span

_SAYS = r"(?:\W{1,3}(?:is|was|ist|lautet|war|es|est|i|got|received|code|says|here|c[óo]digo)(?!\w)){0,4}\W{1,4}"
_SHAPE = r"(?:[A-Z]-)?(?P<secret>{digits})(?!\d|[.,-]\d|\w)"
# These words say by themselves that it is a one-time code, of whatever length.
_STRONG = (
    r"(?:one[- ]?time|verification|verify|login|log-in|sign-?in|2fa|mfa|sms|einmal|best[äa]tigungs|verifizierungs|"
    r"anmelde|sicherheits|verificaci[óo]n|v[ée]rification|validation|confirmation|connexion)[ -]?"
    r"(?:pass)?(?:code|password|passwort|pin|number|nummer|c[óo]digo)"
    r"|(?:code|c[óo]digo|clave)\s+(?:de\s+|d'\s?)?(?:verificaci[óo]n|confirmaci[óo]n|acceso|un\s+solo\s+uso|v[ée]rification|"
    r"validation|confirmation|connexion|acc[èe]s)|otp|passcode|einmalcode|tan"
)
_WEAK = (
    r"(?:access|e-?mail(?:ed)?|six[- ]digit|6[- ]digit)[ -]?(?:code|number|pin)|"
    r"(?<!promo )(?<!discount )(?<!coupon )(?<!zip )(?<!postal )(?<!gutschein )(?<!postal )"
    r"(?<!error )(?<!country )(?<!area )(?<!voucher )(?<!gift )(?<!tax )(?<!bank )(?<!sort )(?<!order )(?<!product )"
    r"(?:code|c[óo]digo)(?!\s+(?:postal|promo\w*|de\s+(?:descuento|error|promoci[óo]n|barras?|r[ée]duction|[ée]rreur|erreur)))"
)
_TIMED = (
    re.compile(rf"(?i)(?<!\w)(?:{_STRONG})(?!\w){_SAYS}{_SHAPE.format(digits=r'[0-9]{3}[ -]?[0-9]{3}|[0-9]{4,8}')}"),
    re.compile(rf"(?i)(?<!\w)(?:{_WEAK})(?!\w){_SAYS}{_SHAPE.format(digits=r'[0-9]{3}[ -]?[0-9]{3}')}"),
)
_KEYS = re.compile(
    r"(?<![A-Za-z0-9_])(?:(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{8,}|whsec_[A-Za-z0-9+/=]{8,}|(?:pi|seti)_[A-Za-z0-9]+_secret_\w+|"
    r"(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|"
    r"xox[abeoprs]-[\w-]{10,}|xapp-[\w-]{10,}|SG\.[\w-]{16,}\.[\w-]{16,}|hf_[A-Za-z0-9]{20,}|pypi-[\w-]{20,}|"
    r"shp(?:at|ca|pa|ss)_[A-Za-z0-9]{16,}|dop_v1_[a-f0-9]{20,}|glsa_\w{20,}|lsv2_\w{20,}|ya29\.[\w-]{20,}|"
    r"sk-[A-Za-z0-9_-]{20,}|AIza[\w-]{30,}|npm_[A-Za-z0-9]{30,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,})"
    r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)"
)
_TOKEN = re.compile(
    r"(?i)(?:\b(?:api|access|secret|private|auth|session|refresh)?[ _-]?(?:key|token|secret|"
    r"schl[üu]ssel|clave|jeton|cl[ée])|\bbearer|\bbasic|\bauthorization)"
    r"(?:\W{1,3}(?:is|was|bearer|basic|ist|lautet|es|est|here|api)(?!\w)){0,2}[\s:=\"'`]{1,5}(?P<secret>[\w+/=.~-]{20,})"
)
_IDENTIFIER = re.compile(
    r"(?:[a-z]{2,8}|test_clock|src_client)_[A-Za-z0-9]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
_PASSWORD = re.compile(
    r"(?i)(?:(?<!\w)(?:pass(?:word|phrase|wd)?|pwd|kennwort|passwort|contrase[ñn]a|clave|mot\s+de\s+passe|"
    r"pin)(?:\s+(?:code|number))?)"
    r"(?P<link>\s{0,5}[:=]\s{0,5}|\s{1,5}(?:is|was|ist|lautet|es|est)\s{0,5}:?\s{1,5}|"
    r"\s{1,5}(?=[\"'`]))(?P<secret>[\"'`]?[^\s\"'`]{4,}[\"'`]?)"
)
_IN_ADDRESS = re.compile(r"(?i)(?<!\w)[a-z][a-z0-9+.-]{1,20}://[^\s/:@\[\]]{0,100}:(?P<secret>[^\s/@]{1,200})@")
# What people say about a password when they do not give it.
_NO_PASSWORD = re.compile(
    r"(?i)[\"'`]?(?:not|wrong|incorrect|invalid|expired|forgotten|lost|still|never|always|being|required|"
    r"needed|"
    r"rejected|correct|right|good|fine|safe|secure|weak|strong|working|broken|missing|empty|different|same|"
    r"reset|"
    r"asked|too|very|also|changed|saved|stored|unknown|only|what|where|when|that|this|falsch|nicht|vergessen|"
    r"incorrecta|incorrecto|incorrecte|oubli\S*|olvid\S*|\[\S*)[\"'`.,;!?)]*$"
)


def find_codes(text: str) -> Iterator[Span]:
    for pattern in _TIMED:
        for match in pattern.finditer(text):
            yield Span(*match.span("secret"), "code", "[one-time code]")


def find_keys(text: str) -> Iterator[Span]:
    for match in _KEYS.finditer(text):
        yield Span(*match.span(), "api_key", "[api key]")
    for match in _TOKEN.finditer(text):
        token = match["secret"]
        if re.search(r"\d", token) and re.search(r"[A-Za-z]", token) and not _IDENTIFIER.fullmatch(token):
            yield Span(*match.span("secret"), "api_key", "[api key]")


def find_passwords(text: str) -> Iterator[Span]:
    for match in _IN_ADDRESS.finditer(text):
        if not match["secret"].startswith("["):
            yield Span(*match.span("secret"), "password", "[password]")
    for match in _PASSWORD.finditer(text):
        word = match["secret"]
        ends_sentence = bool(re.match(r"\s{0,5}(?:$|[.,;!?\n]|and\b|und\b|y\b|et\b)", text[match.end("secret") :][:20]))
        odd = bool(re.search(r"[\d\W_]", word.rstrip(".,;!?")))
        given = odd or ends_sentence or match["link"].strip() in {":", "=", ""}
        if given and not _NO_PASSWORD.match(word):
            end = match.start("secret") + len(word.rstrip(",;"))
            yield Span(match.start("secret"), end, "password", "[password]")
