"""Meters of rate and latency."""

from __future__ import annotations

import threading

from egorear_ros.nodes.rates import RateMeter


def test_a_rate_is_read_while_another_thread_counts() -> None:
    """Composed, cameras tick the synchronizer's meters from their own threads; this once ended the whole graph."""
    meter, stop = RateMeter(), threading.Event()

    def count() -> None:
        now = 0.0
        while not stop.is_set():
            now += 1e-4
            meter.tick(now)

    thread = threading.Thread(target=count)
    thread.start()
    try:
        for _ in range(3000):
            assert meter.hz(0.0) >= 0.0
    finally:
        stop.set()
        thread.join()
