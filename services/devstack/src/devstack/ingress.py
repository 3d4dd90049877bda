"""The ingress of one machine: Traefik before the services, with the routes that the chart has."""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devstack.service_catalog import ISSUER, routes

REST = "rest"  # the route of every other path


def traefik() -> str:
    """Return the path of the program, which a wheel brought beside Python."""
    beside = Path(sys.executable).with_name("traefik")
    return str(beside) if beside.exists() else shutil.which("traefik") or "traefik"


def command(
    folder: Path, port: int, upstreams: Mapping[str, int], collector: str = ""
) -> list[str]:
    """Write the routes to ``folder``, and return the command that serves them on ``port``.

    Args:
        folder: where the configuration is written.
        port: the port of 127.0.0.1 that users call.
        upstreams: each service's own port of 127.0.0.1.
        collector: the URL that spans are sent to, by OTLP over HTTP; empty for none.

    """
    dynamic = folder / "routes.yaml"  # all JSON is YAML
    dynamic.write_text(json.dumps(_routes(upstreams), indent=2))
    return [
        traefik(),
        f"--entryPoints.web.address=127.0.0.1:{port}",
        f"--providers.file.filename={dynamic}",
        "--providers.file.watch=false",
        "--global.checkNewVersion=false",
        "--global.sendAnonymousUsage=false",
        "--log.level=WARN",
        "--serversTransport.maxIdleConnsPerHost=64",
        *(_tracing(collector) if collector else ()),
    ]


def _tracing(collector: str) -> list[str]:
    """Take part in traces as the services do; Traefik leaves the values of queries out itself."""
    return [
        f"--tracing.otlp.http.endpoint={collector.rstrip('/')}/v1/traces",
        "--tracing.serviceName=ingress",
        f"--tracing.sampleRate={os.environ.get('OTEL_TRACES_SAMPLER_ARG', '1')}",
    ]


def _routes(upstreams: Mapping[str, int]) -> dict[str, Any]:
    routers = {
        name: {"rule": _rule(prefixes), "service": name} for name, prefixes in routes().items()
    }
    rest = {"rule": "PathPrefix(`/`)", "priority": 1, "middlewares": [REST], "service": ISSUER}
    return {
        "http": {
            "routers": {**routers, REST: rest},
            # a service tells that there is nothing there, so that the answer has the shape of all
            "middlewares": {REST: {"replacePath": {"path": "/nothing"}}},
            "services": {
                name: {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{port}"}]}}
                for name, port in upstreams.items()
            },
        }
    }


def _rule(prefixes: tuple[str, ...]) -> str:
    """Match whole path segments: ``/users`` and what is below it, and not ``/usersX``."""
    return " || ".join(f"Path(`{p}`) || PathPrefix(`{p}/`)" for p in prefixes)
