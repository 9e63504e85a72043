"""A process that was told to end and hangs ends by force; one that goes by itself is left alone."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(("after", "code"), [("time.sleep(60)", 1), ("leaving.cancel(); time.sleep(0.6)", 0)])
def test_a_goodbye_has_an_end(after: str, code: int) -> None:
    does = f"import time; from cli.goodbye import goodbye; leaving = goodbye(0.3); {after}"

    assert code == subprocess.run([sys.executable, "-c", does], check=False, timeout=30).returncode
