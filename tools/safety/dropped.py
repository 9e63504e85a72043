"""What was not written because it could not be masked, counted by sink. Read by the metrics of the process."""

from collections import Counter

DROPPED: Counter[str] = Counter()
SINKS = ("log", "trace")
