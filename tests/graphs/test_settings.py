"""Settings come from the variables that they name, and from no others."""

from pathlib import Path

import pytest

from graphs.settings import Settings
from tools.errors import ConfigurationError


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)


def test_the_home_of_the_user_is_not_the_home_of_counterfoil(monkeypatch: pytest.MonkeyPatch) -> None:
    """HOME once moved all state into the user's home folder, because the field is called `home`."""
    monkeypatch.setenv("HOME", "/somewhere/else")
    monkeypatch.setenv("SECRET", "x" * 40)

    settings = Settings.read()

    assert (Path(".counterfoil"), None) == (settings.home, settings.secret)


def test_nothing_set_is_a_demo_on_loopback() -> None:
    settings = Settings.read()

    assert settings.demo
    assert settings.host == "127.0.0.1"


def test_a_value_in_the_env_file_counts(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=8123\nOPENAI_API_KEY=\n")

    settings = Settings.read()

    assert (settings.port, settings.has_model) == (8123, False)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"PORT": "eighty"}, "PORT"),
        ({"PORT": "70000"}, "PORT"),
        ({"REDIS_URL": "http://x"}, "REDIS_URL must start with"),
        ({"HOST": "0.0.0.0"}, "loopback"),  # noqa: S104 - that it is refused is the point
        ({"STRIPE_SECRET_KEY": "sk_test_x"}, "SMTP_URL is needed"),
        ({"COUNTERFOIL_SECRET": "short"}, "COUNTERFOIL_SECRET"),
    ],
)
def test_an_unsafe_value_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], words: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=words) as refused:
        Settings.read()

    assert "\n" not in refused.value.message


def test_a_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERFOIL_SECRET", "s" * 40)

    assert "ssss" not in repr(Settings.read())
