"""Settings come from the variables that they name, and from no others."""

from pathlib import Path

import pytest

from graphs.settings import Settings
from tools.errors import ConfigurationError

ONE = "whsec_0123456789abcdef"
REAL = {
    "COUNTERFOIL_ENCRYPTION_KEYS": "2026:key",
    "STRIPE_SECRET_KEY": "sk_test_x",
    "SMTP_URL": "smtp://mail.example.com:587",
}


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


def test_the_keys_of_a_demos_login_may_be_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAFF_JWKS_URL", "http://127.0.0.1:8080/keys")
    monkeypatch.setenv("STAFF_ISSUER", "https://login.example.com")

    assert "http://127.0.0.1:8080/keys" == Settings.read().staff_jwks_url


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
        ({"STRIPE_SECRET_KEY": "sk_test_x", "SMTP_URL": "smtp://mail"}, "COUNTERFOIL_ENCRYPTION_KEYS is needed"),
        ({"COUNTERFOIL_SECRET": "short"}, "COUNTERFOIL_SECRET"),
        ({"STRIPE_WEBHOOK_SECRET": "sk_live_0123456789abcdef"}, "STRIPE_WEBHOOK_SECRET"),
        ({"STRIPE_WEBHOOK_SECRET": "whsec_short"}, "STRIPE_WEBHOOK_SECRET"),
        ({"STRIPE_WEBHOOK_SECRET": f"{ONE},"}, "STRIPE_WEBHOOK_SECRET"),
        ({"STRIPE_WEBHOOK_SECRET": f"{ONE},{ONE},{ONE}"}, "STRIPE_WEBHOOK_SECRET"),
        ({"IDENTITY_JWKS_URL": "https://shop.example.com/keys"}, "IDENTITY_ISSUER is needed"),
        ({"STAFF_JWKS_URL": "https://login.example.com/keys"}, "STAFF_ISSUER is needed"),
        ({"IDENTITY_JWKS_URL": "http://shop.example.com/keys", "IDENTITY_ISSUER": "x"}, "start with https://"),
        ({"STAFF_JWKS_URL": "https://[", "STAFF_ISSUER": "x"}, "STAFF_JWKS_URL must start with https://"),
        ({**REAL, "STAFF_JWKS_URL": "http://127.0.0.1/keys", "STAFF_ISSUER": "x"}, "start with https://"),
        (
            {"STAFF_JWKS_URL": "https://login.example.com/keys", "STAFF_ISSUER": "x", "STAFF_SECRET": "s" * 32},
            "not both",
        ),
        ({"STAFF_AUDIENCE": "counterfoil"}, "must differ"),
        ({"STAFF_SECRET": "s" * 32, "IDENTITY_SECRET": "s" * 32}, "must differ"),
        ({"STAFF_SECRET": "s" * 32, "COUNTERFOIL_SECRET": "s" * 32}, "must differ"),
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


def test_one_or_two_webhook_secrets_may_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert () == Settings.read().webhook_secrets
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", ONE)
    assert (ONE,) == Settings.read().webhook_secrets
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", f"{ONE}, {ONE}2")
    assert (ONE, f"{ONE}2") == Settings.read().webhook_secrets


@pytest.mark.parametrize(
    ("key", "live"), [("sk_test_1", False), ("rk_test_1", False), ("sk_live_1", True), ("rk_live_1", True)]
)
def test_a_live_key_is_known_by_its_name(monkeypatch: pytest.MonkeyPatch, key: str, live: bool) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", key)
    monkeypatch.setenv("SMTP_URL", "smtp://mail.example.com")
    monkeypatch.setenv("COUNTERFOIL_ENCRYPTION_KEYS", "2026:key")

    assert live == Settings.read().stripe_live


def test_a_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERFOIL_SECRET", "s" * 40)

    assert "ssss" not in repr(Settings.read())
