"""`counterfoil policy stop` and `resume`: the kill switch, for whoever may log in to the machine."""

import getpass

from rich.console import Console

from graphs.keys import open_ledger
from graphs.settings import Settings
from tools.errors import InvalidRequest
from tools.ledger.switches import AUTOMATIC
from tools.safety.mask import mask


async def turn(console: Console, *, on: bool, reason: str) -> None:
    """Counts from the next step of every case on, in every process. Raises `InvalidRequest` without a reason."""
    said = mask(reason).text.strip()
    if not said:
        raise InvalidRequest('Say why, for example --reason "refunds look wrong".')
    async with open_ledger(Settings.read()) as ledger:
        switch = await ledger.turn_switch(AUTOMATIC, on=on, actor=f"cli:{getpass.getuser()}", reason=said)
    how = "[green]on[/]" if switch.on else "[bold red]off[/]: a person approves everything"
    console.print(f"Automatic actions are {how}. By {switch.actor}, {switch.at:%Y-%m-%d %H:%M} UTC: ", end="")
    console.print(switch.reason, markup=False, highlight=False)
