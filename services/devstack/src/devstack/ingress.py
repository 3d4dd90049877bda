"""The ingress of one machine: Traefik with the routes of the charts."""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from devstack.service_catalog import AUTH_SERVICE, routes
from devstack.unavailable import STATUS_PATH

FALLBACK_ROUTE = "fallback"  # for paths of no service
UNAVAILABLE = "unavailable"  # the program that responds for services that do not
NO_ANSWER, IN_FLIGHT = "no-answer", "in-flight"  # middlewares
MAX_IN_FLIGHT = 256  # requests of an address at each route; further ones get a 429
MAX_HEADER_BYTES = 64 * 1024  # as the services; Traefik has 1 MiB
RESPONSE_TIMEOUT = "10s"  # services take at most 8 s for a request, also without their database
# a service that hangs is answered with 503, as by a cluster's readiness checks
HEALTH_CHECK = {"path": "/-/live", "interval": "1s", "unhealthyInterval": "200ms", "timeout": "1s"}


def traefik_path() -> str:
    """Return the path of Traefik, which a wheel installs beside Python."""
    beside = Path(sys.executable).with_name("traefik")
    return str(beside) if beside.exists() else shutil.which("traefik") or "traefik"


def configure(
    folder: Path,
    port: int,
    upstreams: Mapping[str, int],
    unavailable: int,
    collector: str = "",
) -> list[str]:
    """Write the routes to ``folder``, and return the command that serves them on ``port``.

    Args:
        folder: folder of the configuration.
        port: port of 127.0.0.1 of the ingress.
        upstreams: port of 127.0.0.1 of each service.
        unavailable: port of 127.0.0.1 of ``devstack.unavailable``.
        collector: base URL of an OTLP collector over HTTP; empty to disable tracing.

    """
    dynamic = folder / "routes.yaml"  # JSON is a subset of YAML
    dynamic.write_text(json.dumps(_routes(upstreams, unavailable), indent=2))
    return [
        traefik_path(),
        f"--entryPoints.web.address=127.0.0.1:{port}",
        # Go drops a parameter with a bare semicolon, and with it a filter
        "--entryPoints.web.http.encodeQuerySemicolons=true",
        f"--entryPoints.web.http.maxHeaderBytes={MAX_HEADER_BYTES}",
        f"--providers.file.filename={dynamic}",
        "--providers.file.watch=false",
        "--global.checkNewVersion=false",
        "--global.sendAnonymousUsage=false",
        "--log.level=WARN",
        "--serversTransport.maxIdleConnsPerHost=64",
        f"--serversTransport.forwardingTimeouts.responseHeaderTimeout={RESPONSE_TIMEOUT}",
        *(_tracing_options(collector) if collector else ()),
    ]


def _tracing_options(collector: str) -> list[str]:
    """Return the tracing options of Traefik, which omits query values from spans."""
    return [
        f"--tracing.otlp.http.endpoint={collector.rstrip('/')}/v1/traces",
        "--tracing.serviceName=ingress",
        f"--tracing.sampleRate={os.environ.get('OTEL_TRACES_SAMPLER_ARG', '1')}",
    ]


def _routes(upstreams: Mapping[str, int], unavailable: int) -> dict[str, Any]:
    routers = {
        name: {"rule": _rule(prefixes), "service": name, "middlewares": [IN_FLIGHT, NO_ANSWER]}
        for name, prefixes in routes().items()
    }
    fallback = {
        "rule": "PathPrefix(`/`)",
        "priority": 1,
        "middlewares": [IN_FLIGHT, NO_ANSWER, FALLBACK_ROUTE],
        "service": AUTH_SERVICE,
    }
    no_answer = {
        "status": ["502", "504"],
        "service": UNAVAILABLE,
        "query": STATUS_PATH + "{status}",
    }
    by_address = {"ipStrategy": {"depth": 0}}
    in_flight = {"amount": MAX_IN_FLIGHT, "sourceCriterion": by_address}
    return {
        "http": {
            "routers": {**routers, FALLBACK_ROUTE: fallback},
            "middlewares": {
                # auth returns the 404, so that it has the format of all other errors
                FALLBACK_ROUTE: {"replacePath": {"path": "/nothing"}},
                NO_ANSWER: {"errors": no_answer},
                IN_FLIGHT: {"inFlightReq": in_flight},
            },
            "services": {
                **dict(item for name, port in upstreams.items() for item in _service(name, port)),
                UNAVAILABLE: {"loadBalancer": {"servers": _servers(unavailable)}},
            },
        }
    }


def _service(name: str, port: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a service, which is unavailable while its health check fails."""
    yield name, {"failover": {"service": f"{name}-checked", "fallback": UNAVAILABLE}}
    checked = {"servers": _servers(port), "healthCheck": HEALTH_CHECK}
    yield f"{name}-checked", {"loadBalancer": checked}


def _servers(port: int) -> list[dict[str, str]]:
    return [{"url": f"http://127.0.0.1:{port}"}]


def _rule(prefixes: tuple[str, ...]) -> str:
    """Return a rule that matches ``/users`` and paths below it, but not ``/usersX``."""
    return " || ".join(f"Path(`{p}`) || PathPrefix(`{p}/`)" for p in prefixes)
