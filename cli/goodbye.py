"""Going within a bounded time, whatever hangs."""

import os
import threading
from collections.abc import Callable

LONGEST_SECONDS = 20.0
"""Less than the half minute after which service managers and Kubernetes kill."""


def goodbye(seconds: float = LONGEST_SECONDS, leave: Callable[[int], None] = os._exit) -> threading.Timer:
    """Unless cancelled, ends the process in that time by force. Its runs then go on elsewhere as after a crash."""
    timer = threading.Timer(seconds, leave, (1,))
    timer.daemon = True
    timer.start()
    return timer
