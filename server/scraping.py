"""The figures of this process, as Prometheus reads them."""

import math

from server.services import Common
from tools.errors import Unavailable
from tools.ledger.switches import AUTOMATIC


async def scraped(common: Common) -> str:
    """With the kill switch as it is now, and what waits."""
    await _look_into_ledger(common)
    return common.metrics.render().decode()


async def _look_into_ledger(common: Common) -> None:
    """Unknown while the ledger does not answer: every other number is still worth reading."""
    try:
        common.metrics.automatic.set(await common.ledger.is_on(AUTOMATIC))
        common.metrics.serving.show_depth(await common.ledger.count_unfinished_runs())
    except Unavailable:
        common.metrics.automatic.set(math.nan)
        common.metrics.serving.show_depth(None)
