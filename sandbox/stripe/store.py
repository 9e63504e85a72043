"""The world in one JSON file: read at start, written whole and atomically a moment after the last change."""

import asyncio
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from sandbox.stripe.errors import Json

DEBOUNCE_SECONDS = 0.3


class Store:
    """Reading fails loudly: better no start than one that forgets. A failed write is logged, and tried at the next."""

    def __init__(self, folder: Path, take: Callable[[], Json]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "sandbox.json"
        self._take = take
        self._timer: asyncio.TimerHandle | None = None

    def load(self) -> Json | None:
        return json.loads(self.file.read_text()) if self.file.exists() else None

    def changed(self) -> None:
        """Writes soon; further changes until then share the write."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DEBOUNCE_SECONDS, self.save)

    def save(self) -> None:
        self._timer = None
        handle, name = tempfile.mkstemp(dir=self.file.parent, prefix=".sandbox-")
        with os.fdopen(handle, "w") as draft:
            json.dump(self._take(), draft, separators=(",", ":"))
            draft.flush()
            os.fsync(draft.fileno())
        Path(name).replace(self.file)
