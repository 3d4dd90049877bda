"""Metrics server: the addresses at which it listens."""

import httpx
import pytest

from servicekit.telemetry.metrics import MetricsServer
from tests.support.ports import free_port


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_serves_metrics_at_an_ipv4_or_ipv6_address(host: str) -> None:
    address = f"{host}:{free_port()}"
    server = MetricsServer(address)
    server.start()
    try:
        assert httpx.get(f"http://{address}/metrics").status_code == 200
    finally:
        server.stop()
