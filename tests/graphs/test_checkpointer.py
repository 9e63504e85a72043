from pathlib import Path

import pytest

from graphs.checkpointer import open_checkpointer
from tools.errors import ConfigurationError


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("COUNTERFOIL_HOME", str(tmp_path))
    return tmp_path


async def test_redis_url_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)

    async with open_checkpointer() as saver:
        assert await saver.redis.ping()


async def test_else_the_url_that_a_running_server_wrote_down(home: Path, redis_url: str) -> None:
    (home / "redis.url").write_text(redis_url + "\n")

    async with open_checkpointer() as saver:
        assert await saver.redis.ping()


async def test_without_either_the_error_says_what_to_do(home: Path) -> None:
    with pytest.raises(ConfigurationError, match="Set REDIS_URL, or start the server first"):
        async with open_checkpointer():
            pass
