"""Who lives in the demo: one row for each customer, from the seed's docstrings and the world that it plants."""

import re

from sandbox.seed.demo import SITUATIONS
from sandbox.seed.gardener import Gardener
from sandbox.stripe.errors import Json
from sandbox.stripe.resources import new_world


def customers_table() -> str:
    garden = Gardener(new_world())
    rows = ["| name | e-mail | situation | what to try saying |", "| --- | --- | --- | --- |"]
    known: set[str] = set()
    for situation, words in SITUATIONS.items():
        situation(garden)
        planted = [person for person in reversed(garden.world.all("customer")) if person["id"] not in known]
        known |= {person["id"] for person in planted}
        rows += [_row(person, situation.__doc__ or "", words) for person in planted]
    return "\n".join(rows)


def _row(person: Json, docstring: str, words: str) -> str:
    address = f"`{person['email']}`" if person["email"] else f"none; phone `{person['phone']}`"
    story = docstring.partition(": ")[2]
    return f"| {_shown(person['name'])} | {address} | {story[:1].upper()}{story[1:]} | {words} |"


def _shown(text: str) -> str:
    """Somebody else's text in a table of Markdown: marks and letters that cannot be seen are written out."""
    plain = "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", plain)
