"""Commands read their settings from the environment."""

import pytest

from tests.fixtures.keys import TEXT


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that the tests' own ledgers are sealed with."""
    monkeypatch.setenv("COUNTERFOIL_ENCRYPTION_KEYS", TEXT)
