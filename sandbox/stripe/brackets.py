"""Stripe's form encoding: `a[b][c]=1`, `a[0][b]=1`, `a[]=1`. Everything arrives as text."""

from itertools import pairwise
from urllib.parse import parse_qsl

from sandbox.stripe.errors import ValidationFailure

Tree = dict[str, "str | Tree"]


def parse(encoded: str) -> Tree:
    """A tree of text; lists are branches with the keys "0", "1", ..., which `params` knows by their declaration."""
    tree: Tree = {}
    for key, value in parse_qsl(encoded, keep_blank_values=True):
        _plant(tree, _path(key), key, value)
    return tree


def _path(key: str) -> list[str]:
    head, bracket, rest = key.partition("[")
    if not bracket or not rest.endswith("]"):
        return [key]
    return [head, *rest[:-1].split("][")]


def _plant(tree: Tree, path: list[str], key: str, value: str) -> None:
    for step, following in pairwise(path):
        branch = tree.setdefault(step or _item_for(tree, following), {})
        if isinstance(branch, str):
            raise ValidationFailure(f"Invalid object: {key}", param=path[0])
        tree = branch
    last = path[-1] or str(len(tree))
    if isinstance(tree.get(last), dict):
        raise ValidationFailure(f"Invalid string: {key}", param=path[0])
    tree[last] = value


def _item_for(tree: Tree, key: str) -> str:
    """`a[][b]=1&a[][c]=2` is one item, a second `a[][b]` begins the next."""
    latest = tree.get(str(len(tree) - 1))
    begins = not isinstance(latest, dict) or not key or key in latest
    return str(len(tree) if begins else len(tree) - 1)
