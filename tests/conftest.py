"""Fixtures that start real parts live in `tests/fixtures/`, one file each."""

import os

os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"  # read by LangGraph at import, as the console script sets it
os.environ["LANGSMITH_TRACING"] = "false"

pytest_plugins = [
    "tests.fixtures.network",
    "tests.fixtures.redis",
    "tests.fixtures.sandbox",
    "tests.fixtures.ledger",
    "tests.fixtures.trained",
    "tests.fixtures.cases",
    "tests.chaos.table",
    "tests.chaos.figures",
    "tests.tools.safety.summary",
]
