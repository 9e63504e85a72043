"""What the pages share. No script; everything that is somebody's text is escaped."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

Conclude = Callable[[Request], None]
"""Called with the request when a form has done something."""

MOST_BYTES = 10_000
NOTE = "A simulated Stripe: no money moves, and only test cards are taken."
STYLE = (Path(__file__).parent / "style.css").read_text()
PRIVATE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


async def serve_style(_request: Request) -> Response:
    return Response(STYLE, media_type="text/css")


def page(title: str, body: str, status: int = 200) -> HTMLResponse:
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/_sandbox/style.css"></head>'
        f'<body><p class="note">{NOTE}</p><main>{body}</main></body></html>'
    )
    return HTMLResponse(text, status, PRIVATE)


def sorry(title: str, words: str, status: int) -> HTMLResponse:
    return page(title, f"<h1>{escape(title)}</h1><p>{escape(words)}</p>", status)


def back_to(path: str) -> Response:
    return RedirectResponse(path, 303, PRIVATE)


def said(message: tuple[str, bool] | None) -> str:
    """What the last form did: the words, and whether it went well."""
    if message is None:
        return ""
    words, good = message
    role, look = ("status", "good") if good else ("alert", "bad")
    return f'<p role="{role}" class="message {look}">{escape(words)}</p>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    rows = (f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs)
    return f"<dl>{''.join(rows)}</dl>"


def choices(name: str, options: Iterable[tuple[str, str]]) -> str:
    """Radio buttons, the first one chosen."""
    made = (
        f'<label><input type="radio" name="{escape(name)}" value="{escape(value)}"{" checked" * (place == 0)}> '
        f"{escape(words)}</label>"
        for place, (value, words) in enumerate(options)
    )
    return f'<div class="choices">{"".join(made)}</div>'


def row(*cells: str, label: str, look: str = "", span: int = 1) -> str:
    """One row of a table: its label, then amounts and the like. The cells are HTML already."""
    across = f' colspan="{span}"' if span > 1 else ""
    rest = "".join(f'<td class="number">{cell}</td>' for cell in cells)
    return f'<tr{look}><th scope="row"{across}>{label}</th>{rest}</tr>'


async def read_form(request: Request) -> dict[str, str]:
    body = await request.body()
    return dict(parse_qsl(body[:MOST_BYTES].decode(errors="replace")))


def form(action: str, inside: str, button: str, *, quiet: bool = False) -> str:
    look = ' class="quiet"' if quiet else ""
    return f'<form method="post" action="{escape(action)}">{inside}<button{look}>{escape(button)}</button></form>'


def day(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%d %B %Y}".lstrip("0")
