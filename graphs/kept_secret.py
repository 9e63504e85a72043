"""Secrets that are made at first start and kept in the home folder, readable by their owner alone."""

import os
from pathlib import Path


def kept_secret(path: Path, made: str) -> bytes:
    """What the file holds; `made` goes into it when there is none yet."""
    try:
        new = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(new, "wb") as file:
        file.write(made.encode())
    return path.read_bytes()
