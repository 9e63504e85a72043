"""Puts the locked uv into `.tools/uv`, with nothing but Python's standard library.

A bare Debian has Python but neither pip nor venv. The lock file names uv's own wheels with their hashes, so the one
for this machine is fetched from where the lock says, checked, and unpacked.
"""

import hashlib
import io
import platform
import stat
import sys
import tomllib
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / ".tools" / "uv"
TIMEOUT = 120

Json = dict[str, Any]

ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


def main() -> int:
    """Returns 0 when `.tools/uv` is there, 1 with one clear line when it cannot be had."""
    if TARGET.exists():
        return 0
    try:
        wheel = wheel_for_this_machine(tomllib.loads((ROOT / "uv.lock").read_text("utf-8")))
        unpack(fetch(wheel))
    except (OSError, LookupError, ValueError) as error:
        print(f"uv could not be set up: {error}. Install uv yourself, then try again.", file=sys.stderr)
        return 1
    return 0


def wheel_for_this_machine(lock: Json) -> Json:
    """The locked wheel whose file name carries this system and processor. Raises LookupError if there is none."""
    uv = next(package for package in lock["package"] if package["name"] == "uv")
    wheels: list[Json] = uv["wheels"]
    for wheel in wheels:
        if fits(wheel["url"].rsplit("/", 1)[-1]):
            return wheel
    raise LookupError(f"no wheel of uv {uv['version']} for {platform.system()} on {platform.machine()}")


def fits(name: str) -> bool:
    machine = ARCHITECTURES.get(platform.machine().lower(), platform.machine())
    if platform.system() == "Darwin":
        return "macosx" in name and ("arm64" if machine == "aarch64" else machine) in name
    kind = "manylinux" if platform.libc_ver()[0] == "glibc" else "musllinux"
    return kind in name and machine in name


def fetch(wheel: Json) -> bytes:
    """The wheel's bytes. Raises ValueError when they are not the locked ones."""
    print("fetching uv", file=sys.stderr)
    with urllib.request.urlopen(wheel["url"], timeout=TIMEOUT) as answer:  # noqa: S310 - an https address from our lock
        data: bytes = answer.read()
    if f"sha256:{hashlib.sha256(data).hexdigest()}" != wheel["hash"]:
        raise ValueError("the downloaded wheel does not have the locked hash")
    return data


def unpack(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        inside = next(name for name in archive.namelist() if name.endswith("/scripts/uv"))
        TARGET.parent.mkdir(exist_ok=True)
        part = TARGET.with_suffix(".part")
        part.write_bytes(archive.read(inside))
    part.chmod(part.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    part.replace(TARGET)


if __name__ == "__main__":
    sys.exit(main())
