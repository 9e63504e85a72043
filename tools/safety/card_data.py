"""What is printed on a card: its number, its CVV, its expiry date."""

import re
from collections.abc import Iterator

from tools.safety.numbers import find_cards
from tools.safety.spans import Span

_FILLER = (
    r"(?:\W{1,3}(?:is|was|are|ist|sind|lautet|lauten|es|son|est|sont|number|nummer|code|value|on|the|at|back|of|my|it|its|"
    r"it's|this|here|de|la|le|las|los|les|del|al|au|du|dos|dorso|hinten|auf|der|die|das|meiner?|front|reverse|vorne|verso|r[üu]ckseite|karte|card|"
    r"tarjeta|carte|detr[áa]s|atr[áa]s|reverso|mi|ma|ta|votre)(?!\w)){0,7}\W{0,4}"
)
_CVV_CUE = (
    r"(?:cvv2?|cvc2?|csc|cid|(?<!social )security\s+(?:code|number)|card\s+(?:verification|code)|"
    r"verification\s+value"
    r"|kartenpr[üu]f(?:nummer|ziffer|code)|pr[üu]f(?:nummer|ziffer|zahl)|sicherheits(?:code|nummer|zahl)"
    r"|c[óo]digo\s+(?:de\s+)?(?:seguridad|verificaci[óo]n)|n[úu]mero\s+de\s+seguridad"
    r"|cryptogramme(?:\s+visuel)?|code\s+(?:de\s+)?(?:s[ée]curit[ée]|v[ée]rification)"
    r"|(?:three|3|four|4)\s+(?:digits?|numbers?)(?=\W+(?:\w+\W+){0,2}(?:back|front|reverse))"
    r"|(?:drei|3|vier|4)\s+(?:ziffern|zahlen)(?=\W+(?:\w+\W+){0,3}(?:hinten|r[üu]ckseite|vorne))"
    r"|(?:tres|3|cuatro|4)\s+(?:d[íi]gitos|cifras|n[úu]meros)(?=\W+(?:\w+\W+){0,2}(?:atr[áa]s|detr[áa]s|dorso|reverso))"
    r"|(?:trois|3|quatre|4)\s+(?:chiffres)(?=\W+(?:\w+\W+){0,2}(?:dos|verso)))"
)
_CVV = re.compile(rf"(?i)(?<!\w){_CVV_CUE}{_FILLER}(?<!\d)(?P<secret>\d{{3,4}})(?!\d|[.,/-]\d)")
_CVV_FIRST = re.compile(
    rf"(?i)(?<![\d$€£.,-])(?P<secret>\d{{3,4}})(?!\d)\W{{1,3}}(?:(?:is|as|ist|als|es|est|como|comme)\W+(?:the|my|der|die|das|"
    rf"mein|meine|el|la|mi|le|mon)?\W*)?{_CVV_CUE}(?!\w)"
)
_DATE = r"(?:0?[1-9]|1[0-2])\s{0,2}[/.-]\s{0,2}(?:20)?[2-4]\d"
_EXPIRY_WORD = (
    r"(?:exp(?:\.|iry|ires?|iring|iration)?|valid(?:\s+(?:until|thru|through|till|to))?|good\s+(?:thru|through)"
    r"|g[üu]ltig(?:\s+bis)?|ablauf\w*|verfall\w*|l[äa]uft\s+ab|vence|vencimiento|caduca|caducidad|v[áa]lida?(?:\s+hasta)?"
    r"|expire|valable(?:\s+jusqu\W?\s?(?:en|au|[àa]))?)"
)
_DATE_WORD = r"(?:\W{1,3}(?:date|datum|fecha|de|d'|am|im|in|on|el|en|le|au|is|ist|es|est|bis)(?!\w)){0,3}\W{0,4}"
# People type a card as it is printed: number, expiry, CVV.
_AFTER_CARD = re.compile(
    rf"(?i)\W{{0,4}}(?:(?:and|und|y|et|mit|with|con|avec)\W{{1,3}})?(?:{_EXPIRY_WORD}{_DATE_WORD})?"
    rf"(?P<expiry>{_DATE.replace('/.', ' /.')})(?!\d|[./-]\d)(?:\W{{1,4}}(?P<cvv>\d{{3,4}})(?!\d|[.,/-]\d))?"
)
_CVV_NEXT = re.compile(r"[ ,;/|\u200b\n-]{1,3}(?P<cvv>\d{3,4})(?!\d|[.,/-]\d|\s?[%€$£])(?=\W*(?:$|\n))")
_CARD_WORD = r"(?:card|karte|kreditkarte|tarjeta|carte|visa|master\s?card|amex|cvv2?|cvc2?)"
_EXPIRY = re.compile(
    rf"(?i)(?<!\w){_CARD_WORD}(?!\w)[^.?!\n]{{0,40}}?(?<!\w){_EXPIRY_WORD}(?!\w){_DATE_WORD}(?P<after>{_DATE})(?!\d|[./-]\d)"
    rf"|(?<!\w)(?:exp\.?(?:iry|iration)?(?:\s+date)?|valid\s+thru|good\s+thru|ablaufdatum|g[üu]ltig\s+bis|"
    rf"fecha\s+de\s+(?:caducidad|vencimiento)|date\s+d'expiration)\W{{0,3}}(?:(?:is|ist|es|est)\W{{1,3}})?(?P<alone>{_DATE})"
    rf"(?!\d|[./-]\d)"
)


def find_card_data(text: str) -> Iterator[Span]:
    """Card numbers, and the expiry dates and CVVs that follow them or are named, in folded text."""
    for start, end, digits in find_cards(text):
        yield Span(start, end, "card", f"[card ••••{digits[-4:]}]")
        yield from _behind(text, end)
    for pattern in (_CVV, _CVV_FIRST):
        for match in pattern.finditer(text):
            yield Span(*match.span("secret"), "cvv", "[cvv]")
    for match in _EXPIRY.finditer(text):
        yield Span(*match.span(match.lastgroup or "alone"), "expiry", "[expiry]")


def _behind(text: str, end: int) -> Iterator[Span]:
    if dated := _AFTER_CARD.match(text, end):
        yield Span(*dated.span("expiry"), "expiry", "[expiry]")
        if dated["cvv"]:
            yield Span(*dated.span("cvv"), "cvv", "[cvv]")
    elif bare := _CVV_NEXT.match(text, end):
        yield Span(*bare.span("cvv"), "cvv", "[cvv]")
