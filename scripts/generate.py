"""Writes the parts of the docs that code knows better: diagrams, settings, commands. `--check` only compares."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from typer.testing import CliRunner

from cli.app import app
from graphs import action, support
from graphs.settings import Settings
from sandbox.stripe import delivery_faults, faults
from scripts.demo_customers import customers_table
from scripts.stripe_coverage import coverage_table

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = (
    *(["--help"], ["serve", "--help"], ["worker", "--help"], ["chat", "--help"]),
    *(["policy", "--help"], ["policy", "test", "--help"], ["policy", "backtest", "--help"]),
    ["audit", "--help"],
    *(["privacy", "export", "--help"], ["privacy", "erase", "--help"]),
    *(["keys", "--help"], ["keys", "create", "--help"]),
)


def main() -> int:
    """Returns 1 when `--check` finds a part that is out of date."""
    stale = [path for path, make in PARTS.items() if not _refresh(ROOT / path, make, check="--check" in sys.argv)]
    for path in stale:
        print(f"{path} is out of date: run `make generate`", file=sys.stderr)
    return 1 if stale else 0


def support_diagram() -> str:
    return _diagram(support.builder.compile().get_graph().draw_mermaid())


def action_diagram() -> str:
    return _diagram(action.builder.compile().get_graph().draw_mermaid())


def settings_table() -> str:
    """One row for each variable, as `graphs/settings.py` declares it."""
    rows = [
        f"| `{field.alias}` | {_default(name)} | {field.description} |" for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| variable | default | meaning |", "| --- | --- | --- |", *rows])


def command_help() -> str:
    runner = CliRunner(env={"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"})
    said = [runner.invoke(app, arguments, prog_name="counterfoil").output for arguments in COMMANDS]
    return "\n\n".join(f"```\n{_plain(one)}\n```" for one in said)


def _diagram(mermaid: str) -> str:
    plain = re.sub(r"^---\n.*?---\n", "", mermaid, flags=re.DOTALL)
    return f"```mermaid\n{plain.strip()}\n```"


def _manual(module: ModuleType) -> str:
    """The module's own table, from behind its first sentence."""
    _, _, rest = (module.__doc__ or "").partition("\n\n")
    return f"```\n{rest.strip()}\n```"


def _default(name: str) -> str:
    default = Settings.model_fields[name].default
    if name == "knowledge_folder":
        return "`knowledge`"
    return "" if default is None else f"`{default}`"


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"support diagram": support_diagram},
    "ARCHITECTURE.md": {"action diagram": action_diagram},
    "docs/settings.md": {"settings": settings_table},
    "docs/commands.md": {"commands": command_help},
    "docs/simulated-stripe.md": {
        "faults": lambda: _manual(faults),
        "webhook faults": lambda: _manual(delivery_faults),
        "stripe coverage": coverage_table,
    },
    "docs/demo-customers.md": {"demo customers": customers_table},
}


def _refresh(path: Path, parts: dict[str, Callable[[], str]], *, check: bool) -> bool:
    """Whether the file already said what its parts make; writes it otherwise, unless only checking."""
    before = path.read_text("utf-8")
    after = before
    for name, make in parts.items():
        after = _between(after, name, make())
    if before == after:
        return True
    if not check:
        path.write_text(after, "utf-8")
        return True
    return False


def _between(text: str, name: str, made: str) -> str:
    begin, end = f"<!-- generated: {name} -->", "<!-- end -->"
    head, found, rest = text.partition(begin)
    if not found:
        raise SystemExit(f"no `{begin}` to write between")
    return f"{head}{begin}\n{made}\n{end}{rest.partition(end)[2]}"


if __name__ == "__main__":
    sys.exit(main())
