"""The console script `counterfoil`: starts, watches, talks and checks."""

import os

os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")  # read by LangGraph at import
os.environ.setdefault("ANONYMIZED_TELEMETRY", "false")
os.environ.setdefault(
    "OPENBLAS_NUM_THREADS", "1"
)  # one message is read at a time; threads only get in each other's way
os.environ.setdefault("LANGSMITH_TRACING", "false")

import asyncio
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tools.errors import CounterfoilError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A billing-support agent that leaves a checkable receipt for everything it did.",
)
policy = typer.Typer(no_args_is_help=True, help="Check the policy that decides about money.")
audit = typer.Typer(no_args_is_help=True, help="Check and read the log of everything that was done.")
receipt = typer.Typer(no_args_is_help=True, help="Check receipts.")
keys = typer.Typer(no_args_is_help=True, help="Keys for machines: metrics, and reading the desk.")
privacy = typer.Typer(no_args_is_help=True, help="Hand out or erase what is kept about a customer.")
app.add_typer(policy, name="policy")
app.add_typer(audit, name="audit")
app.add_typer(receipt, name="receipt")
app.add_typer(privacy, name="privacy")
app.add_typer(keys, name="keys")

console = Console()
problems = Console(stderr=True)

REASON = Annotated[str, typer.Option(help="Why; it is kept in the audit log.")]
PORT = Annotated[int | None, typer.Option(help="Port of the server; else PORT, else 8000.")]


@app.command()
def serve(
    port: PORT = None,
    *,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Serve HTTP alone; `counterfoil worker` does the work. Needs REDIS_URL.")
    ] = False,
) -> None:
    """Start everything: server, worker, and whatever is not configured as an embedded part.

    SIGTERM and Ctrl-C end it: open streams are told to come back, and what is under way goes on at another worker or at
    the next start.
    """
    from cli.serve import run  # noqa: PLC0415 - `--help` need not load the world

    run(port, works=not no_worker)


@app.command()
def worker(
    metrics_port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="Answer /ok and /metrics on this port of 127.0.0.1; else no port is opened."
        ),
    ] = None,
) -> None:
    """Carry out runs beside a server, on the same REDIS_URL and database; start as many as are needed.

    SIGTERM and Ctrl-C end it: what is under way stops at its next step and goes on at another worker.
    """
    from cli.worker import run  # noqa: PLC0415 - see serve

    run(metrics_port)


@app.command()
def chat(
    url: Annotated[str | None, typer.Option(help="Server to talk to; else http://127.0.0.1:PORT.")] = None,
) -> None:
    """Talk to a running server in the terminal."""
    from cli.chat import run  # noqa: PLC0415 - see serve

    asyncio.run(run(url, console))


@app.command()
def doctor() -> None:
    """What is configured, reachable, embedded or missing."""
    from cli.doctor import run  # noqa: PLC0415 - see serve

    raise typer.Exit(asyncio.run(run(console)))


@app.command()
def ingest() -> None:
    """Read the policy documents into the search index."""
    from cli.chores import ingest_documents  # noqa: PLC0415 - see serve

    asyncio.run(ingest_documents(console))


@app.command()
def train() -> None:
    """Train the local understanding on our own utterances."""
    from cli.chores import train_understanding  # noqa: PLC0415 - see serve

    train_understanding(console)


@app.command()
def studio(port: Annotated[int, typer.Option(help="Port of the development server.")] = 2024) -> None:
    """Open the graphs in LangGraph Studio (development only)."""
    from cli.studio import run  # noqa: PLC0415 - see serve

    raise typer.Exit(run(port))


@app.command()
def reseal() -> None:
    """Seal everything that is kept with the newest of COUNTERFOIL_ENCRYPTION_KEYS, beside running servers."""
    from cli.reseal import run  # noqa: PLC0415 - see serve

    raise typer.Exit(asyncio.run(run(console)))


@policy.command("test")
def policy_test(
    table: Annotated[Path | None, typer.Argument(help="A table of cases; else the packaged one.")] = None,
    rules: Annotated[Path | None, typer.Option(help="A rules file; else the packaged one.")] = None,
) -> None:
    """Run the table of policy cases: what each kind of action is answered, and what was expected.

    Exit code 0 when every case is as expected, 1 when one is not, 2 when a file is wrong.
    """
    from cli.policy import check_policy  # noqa: PLC0415 - see serve

    raise typer.Exit(check_policy(console, table, rules))


@policy.command("backtest")
def policy_backtest(
    old: Annotated[str, typer.Argument(help="A rules file, or `packaged`.")],
    new: Annotated[str, typer.Argument(help="The rules file to compare with it, or `packaged`.")],
    *,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="From this day (UTC); else from the first."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="Up to this day, without it; else now.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every case that would change, not the newest 20.")] = False,
    table: Annotated[Path | None, typer.Option("--csv", help="Write every case that would change here.")] = None,
) -> None:
    """Replay the requests of the past under two sets of rules, and show what would change in outcomes and in money.

    Exit code 0 when nothing changes, 1 when something does, 2 when a file or a recorded request cannot be read.
    """
    from cli.backtest import Span, backtest  # noqa: PLC0415 - see serve

    span = Span.between(since, until)
    raise typer.Exit(asyncio.run(backtest(console, old, new, span=span, every=every, table=table)))


@policy.command("stop")
def policy_stop(reason: REASON) -> None:
    """Turn the kill switch: nothing is carried out that no person has approved."""
    from cli.switch import turn  # noqa: PLC0415 - see serve

    asyncio.run(turn(console, on=False, reason=reason))


@policy.command("resume")
def policy_resume(reason: REASON) -> None:
    """Turn the kill switch back: the assistant carries out by itself again what policy allows."""
    from cli.switch import turn  # noqa: PLC0415 - see serve

    asyncio.run(turn(console, on=True, reason=reason))


@audit.command("verify")
def audit_verify(
    head: Annotated[
        str | None, typer.Option(metavar="NUMBER:HASH", help="A head that was printed and kept elsewhere before.")
    ] = None,
) -> None:
    """Prove that no row of the audit log was changed, removed or put in between."""
    from cli.audit import verify_audit  # noqa: PLC0415 - see serve

    raise typer.Exit(asyncio.run(verify_audit(console, head)))


@audit.command("show")
def audit_show(
    ids: Annotated[
        list[str] | None, typer.Argument(help="Ids of a thread, run, action, customer, person, receipt; else all.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 200,
    json: Annotated[bool, typer.Option("--json", help="One entry a line, for programs.")] = False,
) -> None:
    """Read out what the audit log says: who decided what, what Stripe and models were asked, and what it cost."""
    from cli.audit import show_audit  # noqa: PLC0415 - see serve

    raise typer.Exit(asyncio.run(show_audit(console, ids or [], as_json=json, limit=limit)))


@receipt.command("verify")
def receipt_verify(
    number: Annotated[str | None, typer.Argument(help="For example CF-2026-000001.")] = None,
    file: Annotated[Path | None, typer.Option("--json", help="A receipt that somebody holds as a file.")] = None,
) -> None:
    """Print a receipt and prove that it says what it said when it was issued."""
    from cli.receipt import verify_receipt  # noqa: PLC0415 - see serve

    raise typer.Exit(asyncio.run(verify_receipt(console, number, file)))


WHO = Annotated[str, typer.Argument(metavar="EMAIL|cus_...", help="The customer.")]


@privacy.command("export")
def privacy_export(
    who: WHO,
    to: Annotated[Path | None, typer.Option(help="File to write; else one with the time in its name, here.")] = None,
) -> None:
    """Write everything that is kept about a customer into one JSON file that only you can read.

    Exit code 0 when it is written, 1 when nothing is kept, 2 when something is wrong.
    """
    from cli.privacy import export  # noqa: PLC0415 - see serve

    raise typer.Exit(asyncio.run(export(console, who, to)))


@privacy.command("erase")
def privacy_erase(
    who: WHO,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
) -> None:
    """Erase a customer's conversations for good; of what was done with money, sums, days and ids stay.

    Safe while servers run. Exit code 0 when all is erased, 1 when something is put off or nothing is kept, 2 when
    something is wrong.
    """
    from cli.privacy import erase  # noqa: PLC0415 - see serve

    raise typer.Exit(asyncio.run(erase(console, who, yes=yes, dry_run=dry_run)))


@keys.command("create")
def keys_create(
    name: Annotated[str, typer.Argument(help="The machine that will use it, such as prometheus.")],
    scope: Annotated[list[str], typer.Option(help="What it may do: `metrics` or `desk:read`; may be given again.")],
) -> None:
    """Make a key and show it once. It is refused 90 days later."""
    from cli.keys import create  # noqa: PLC0415 - see serve

    asyncio.run(create(console, name, scope))


@keys.command("list")
def keys_list() -> None:
    """Every key, by age: what it may do, when it was last used, until when it is good."""
    from cli.keys import show  # noqa: PLC0415 - see serve

    asyncio.run(show(console))


@keys.command("revoke")
def keys_revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help="As `keys list` shows it.")]) -> None:
    """Refuse a key from now on, on every server."""
    from cli.keys import revoke  # noqa: PLC0415 - see serve

    asyncio.run(revoke(console, key_id))


def main() -> None:
    """Runs a command. What goes wrong on purpose ends in one line and exit code 2."""
    try:
        app(prog_name="counterfoil")
    except CounterfoilError as error:
        problems.print(f"[bold red]counterfoil:[/] {error.message}", highlight=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
