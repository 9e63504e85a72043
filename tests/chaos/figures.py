"""What tests counted or measured, at the end of the run, whichever process of pytest it was counted in."""

from collections.abc import Callable

import pytest

PROPERTY = "figure"
Say = Callable[[object], None]


@pytest.fixture
def say(record_property: Callable[[str, object], None]) -> Say:
    """For a line among the figures."""
    return lambda line: record_property(PROPERTY, str(line))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    said = [
        str(value)
        for report in reports
        if report.when == "call"
        for name, value in report.user_properties
        if name == PROPERTY
    ]
    if said:
        terminalreporter.section("figures: cases in chaos and the laws they broke, answers and their times")
        for line in said:
            terminalreporter.write_line(line)
