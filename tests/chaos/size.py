"""How much of the chaos is run: a sample with every `make test`, all of it with CHAOS=whole (`make chaos`)."""

import os
import secrets
from collections.abc import Sequence
from typing import TypeVar

WHOLE = os.environ.get("CHAOS") == "whole"
SEED = int(os.environ.get("CHAOS_SEED") or (secrets.randbits(32) if WHOLE else 1))
"""Printed with the figures, and given again by CHAOS_SEED. `make test` has the same one every time."""
TALKS = int(os.environ.get("CHAOS_TALKS") or (1000 if WHOLE else 30))
"""Conversations."""
SCHEDULES = int(os.environ.get("CHAOS_SCHEDULES") or (1000 if WHOLE else 60))

Cell = TypeVar("Cell")


def sampled(cells: Sequence[Cell], *, most: int) -> list[Cell]:
    """All of them in the long form; else that many, evenly spread, and others with another seed."""
    step = max(1, len(cells) // most)
    return list(cells) if WHOLE else list(cells[SEED % step :: step])[:most]
