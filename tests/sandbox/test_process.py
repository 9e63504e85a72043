"""The sandbox as a process: what it prints, how it ends, and what it remembers."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fixtures.sandbox import NO_TLS

KEY = {"Authorization": "Bearer sk_test_process"}


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A sandbox on free ports, with what its ready line says."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--smtp-port", "0", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout
        try:
            yield process, json.loads(process.stdout.readline().removeprefix("ready "))
        finally:
            process.kill()


def emails(url: str) -> set[str]:
    found = httpx.get(f"{url}/v1/customers", params={"limit": 100}, headers=KEY, verify=NO_TLS).json()["data"]
    return {customer["email"] for customer in found}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    with running() as (process, where):
        assert "ada@example.com" in emails(where["stripe"])
        process.send_signal(number)
        assert 0 == process.wait(timeout=10)
        assert process.stderr
        assert "" == process.stderr.read()


def test_it_ends_with_the_process_that_holds_its_stdin() -> None:
    with running("--watch-stdin", "--seed", "none") as (process, where):
        assert set() == emails(where["stripe"])
        assert process.stdin
        process.stdin.close()
        assert 0 == process.wait(timeout=10)


@pytest.mark.parametrize("option", ["--port", "--smtp-port"])
def test_a_port_in_use_is_one_clear_line(option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        other = "--smtp-port" if option == "--port" else "--port"
        command = [sys.executable, "-m", "sandbox", option, port, other, "0"]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (2, "") == (ended.returncode, ended.stdout)
    assert 1 == len(ended.stderr.splitlines())
    assert f"127.0.0.1:{port}" in ended.stderr


def test_it_listens_on_one_loopback_address_alone() -> None:
    with running() as (_, where):
        port = httpx.URL(where["stripe"]).port
        # All of 127/8 is this machine, but only a socket bound to every address would answer here.
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.2", port), timeout=2)


def test_links_follow_the_port_of_today(tmp_path: Path) -> None:
    links = []
    for _ in range(2):
        with running("--state", str(tmp_path)) as (process, where):
            found = httpx.get(f"{where['stripe']}/v1/invoices", params={"status": "paid"}, headers=KEY, verify=NO_TLS)
            links.append(found.json()["data"][0]["invoice_pdf"])
            assert 200 == httpx.get(links[-1], verify=NO_TLS).status_code
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=10)
    assert links[0] != links[1]
    assert links[0].rpartition("/")[2] == links[1].rpartition("/")[2]
