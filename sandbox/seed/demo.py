"""The demo's forty customers: one for every billing situation that support meets. Dates count back from now."""

from sandbox.seed import abroad, business, changes, disputed, everyday, hostile, invoiced, refunded
from sandbox.seed.gardener import Gardener, Situations
from sandbox.stripe.timeline import run_due
from sandbox.stripe.world import World

SITUATIONS: Situations = {
    **everyday.SITUATIONS,
    **changes.SITUATIONS,
    **refunded.SITUATIONS,
    **disputed.SITUATIONS,
    **invoiced.SITUATIONS,
    **abroad.SITUATIONS,
    **business.SITUATIONS,
    **hostile.SITUATIONS,
}


def plant(world: World) -> None:
    garden = Gardener(world)
    for situation in SITUATIONS:
        situation(garden)
    run_due(world)
