"""What the matrix did, as a table at the end of the run, whichever process of pytest it was done in."""

import pytest

PROPERTY = "crash matrix"
COLUMNS = ("action", "database", "points", "killed at", "not reached", "violations")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    found = (dict(getattr(report, "user_properties", ())).get(PROPERTY) for report in reports)
    if rows := [row for row in found if row]:
        terminalreporter.section("crash matrix: a process killed at each point, and another one after it")
        for line in lines(rows):
            terminalreporter.write_line(line)


def lines(rows: list[dict[str, object]]) -> list[str]:
    cells = [COLUMNS, *([str(row[name]) for name in COLUMNS] for row in rows), _sum(rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(COLUMNS))]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]


def _sum(rows: list[dict[str, object]]) -> list[str]:
    sums = [str(sum(int(str(row[name])) for row in rows)) for name in COLUMNS[2:]]
    return ["all", "", *sums]
