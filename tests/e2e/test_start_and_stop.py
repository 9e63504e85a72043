"""`counterfoil serve` from the outside: one ready line, clear refusals, nothing left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.world import ROOT, Customer, World, running
from tests.fixtures.redis import free_port


def serve(home: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Runs it to its end, for starts that must fail."""
    ports = {name: str(free_port()) for name in ("PORT", "STRIPE_SANDBOX_PORT", "SMTP_SANDBOX_PORT")}
    return subprocess.run(
        [sys.executable, "-m", "cli", "serve"],
        cwd=ROOT,
        env={**os.environ, "COUNTERFOIL_HOME": str(home), **ports, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def processes_naming(text: str) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "pid,args", "-ww"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if text in line and "ps -eo" not in line]


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_stopping_leaves_no_process_behind(new_home: Callable[[], Path], by: signal.Signals) -> None:
    home = new_home()
    with running(home) as world:
        assert "ready" in world.ready
        assert world.url in world.ready
        world.stop(by=by)

    assert processes_naming(str(home)) == []
    assert processes_naming(f"--port {world.stripe_port}") == []


def test_a_killed_server_leaves_no_process_behind(new_home: Callable[[], Path]) -> None:
    home = new_home()
    with running(home) as world:
        world.stop(by=signal.SIGKILL)
        end = time.monotonic() + 10
        while time.monotonic() < end and (
            processes_naming(str(home)) or processes_naming(f"--port {world.stripe_port}")
        ):
            time.sleep(0.2)

    assert processes_naming(str(home)) == []
    assert processes_naming(f"--port {world.stripe_port}") == []


def test_a_conversation_goes_on_after_a_restart(new_home: Callable[[], Path]) -> None:
    home = new_home()
    with running(home) as world:
        customer = Customer(world)
        customer.says("i was charged twice this month")
        world.stop()
        world.start()

        assert "six-digit code" in customer.says("ada@example.com").text
        assert "$49.00" in customer.says(world.code("ada@example.com")).text


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = serve(tmp_path / "home", PORT=str(port))

    assert ended.returncode == 2
    assert f"Port {port}" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("REDIS_URL", "http://somewhere"),
        ("COUNTERFOIL_SECRET", "short"),
        ("STRIPE_SECRET_KEY", "sk_test_x"),
        ("HOST", "0.0.0.0"),  # noqa: S104 - that it is refused is the point
    ],
)
def test_a_wrong_setting_is_one_clear_line_that_names_it(tmp_path: Path, name: str, value: str) -> None:
    ended = serve(tmp_path / "home", **{name: value})

    assert ended.returncode == 2
    assert name in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "Traceback" not in ended.stderr + ended.stdout


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    ended = serve(tmp_path / "file" / "home")

    assert ended.returncode == 2
    assert "COUNTERFOIL_HOME" in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_a_redis_that_does_not_answer_is_one_clear_line(tmp_path: Path) -> None:
    ended = serve(tmp_path / "home", REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")

    assert ended.returncode == 2
    assert "REDIS_URL" in ended.stderr
    assert "Traceback" not in ended.stderr + ended.stdout


def test_the_doctor_finds_nothing_broken_in_a_new_folder(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "cli", "doctor"],
        cwd=ROOT,
        env={**os.environ, "COUNTERFOIL_HOME": str(tmp_path / "home"), "COLUMNS": "160"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 0
    assert "embedded" in ended.stdout


def test_the_example_environment_names_every_setting() -> None:
    from graphs.settings import Settings  # noqa: PLC0415 - only this test reads code

    named = {
        line.removeprefix("#").split("=")[0] for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line
    }

    assert {field.alias for field in Settings.model_fields.values()} == named


def test_two_servers_on_one_home_are_refused(world: World) -> None:
    ended = serve(world.home)

    assert ended.returncode == 2
    assert "already" in ended.stderr
