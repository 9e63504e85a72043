"""Fixtures that start real parts live in `tests/fixtures/`, one file each."""

pytest_plugins = ["tests.fixtures.redis", "tests.fixtures.sandbox", "tests.fixtures.ledger"]
