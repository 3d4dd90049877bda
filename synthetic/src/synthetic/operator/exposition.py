"""The monitors' metrics in the text format of Prometheus, in parts.

Those of a thousand monitors with eight steps each are 20 MB. Built at once they would take four
times as much memory, and block the health checks for seconds.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from prometheus_client import generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from synthetic.operator import monitor_metrics
from synthetic.operator.monitor_cache import MonitorView

MONITORS_PER_PART = 50


class _Family(Collector):
    """A metric family as a registry of its own."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> Iterable[Metric]:
        return (self._family,)


def exposition(views: Iterable[MonitorView], now: datetime) -> Iterator[bytes]:
    """Yield the text of all metric families; the windows of the metrics end at ``now``."""
    every = list(views)
    starts = range(0, max(len(every), 1), MONITORS_PER_PART)
    parts = [monitor_metrics.collect(every[i : i + MONITORS_PER_PART], now) for i in starts]
    has_family = True
    while has_family:  # the same one of each part
        has_family = False
        for part in parts:
            family = next(part, None)
            if family is not None:
                text = generate_latest(_Family(family))
                yield text.split(b"\n", 2)[2] if has_family else text  # HELP and TYPE, once
                has_family = True
