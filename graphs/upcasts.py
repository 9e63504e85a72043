"""State that an older release has left, as the nodes of this one read it."""

from collections.abc import Callable, Mapping
from typing import Any

from nodes.state import STATE_VERSION

Json = dict[str, Any]
Upcast = Callable[[Json], Json]

UPCASTS: dict[int, Upcast] = {}
"""By version: given the whole state, what of it has to be written anew to make it the next version."""


def upcast(values: Json, *, to: int = STATE_VERSION, by: Mapping[int, Upcast] = UPCASTS) -> Json:
    """What has to be written, over one version after another. A state without a version is of the first."""
    changed: Json = {}
    for version in range(values.get("version", 1), to):
        changed |= by[version]({**values, **changed})
    return {**changed, "version": to}
