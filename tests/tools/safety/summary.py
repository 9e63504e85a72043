"""What masking found and what it took for something else, at the end of the run."""

from collections.abc import Callable

import pytest

from tests.tools.safety.figures import COLUMNS, Figure

PROPERTY = "masking"
Measured = Callable[[Figure], Figure]


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Measured:
    """For a row of the table."""

    def kept(figure: Figure) -> Figure:
        record_property(PROPERTY, figure.row())
        return figure

    return kept


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    found = (dict(getattr(report, "user_properties", ())).get(PROPERTY) for report in reports)
    if rows := [row for row in found if row]:
        terminalreporter.section("masking: how much is found, how much is taken for something it is not")
        cells = [COLUMNS, *rows]
        widths = [max(len(row[place]) for row in cells) for place in range(len(COLUMNS))]
        for row in cells:
            terminalreporter.write_line("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))
