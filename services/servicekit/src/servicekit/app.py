"""Builds a service from its contract, handlers and database as an ASGI application."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Flask, Request
from sqlalchemy import MetaData

from servicekit.auth.tokens import KeyProvider, TokenVerifier
from servicekit.db.database import METADATA, Database
from servicekit.db.replica import open_database
from servicekit.http import api_docs, context, error_handlers, health
from servicekit.http.access_log import ROUTE, AccessLog, access_log_middleware
from servicekit.http.flask_app import ApiFlask
from servicekit.http.health import Readiness
from servicekit.http.wsgi_bridge import TOO_LARGE, Lifespan, RawResponse, WsgiBridge
from servicekit.openapi.contract import ContractError, load_contract
from servicekit.openapi.lazy_connexion import (
    AbstractOperation,
    AbstractRoutingAPI,
    flaskify_path,
)
from servicekit.openapi.operation import Operation
from servicekit.openapi.resolver import HandlerResolver
from servicekit.openapi.specification import Specification
from servicekit.problems import NO_PATH, NotFound, PayloadTooLarge, Unavailable
from servicekit.settings import EX_CONFIG, Settings
from servicekit.telemetry import logs
from servicekit.telemetry.setup import create_tracing
from servicekit.telemetry.shared_metrics import Instrument, Sample, SharedMetrics


@dataclass(frozen=True)
class ServiceSpec:
    """Everything that defines a service, except its settings."""

    name: str  # of its package, its contract and its database
    prefix: str  # of the paths of its API documentation
    keys: KeyProvider
    keys_loaded: Callable[[], bool]
    lifespans: Sequence[Lifespan] = ()
    metadata: MetaData = METADATA
    instruments: Sequence[Instrument] = ()  # metrics beside those of the shared components
    database_metrics: Callable[[Database], Iterable[Sample]] | None = None


class _Routes(AbstractRoutingAPI[Operation]):  # type: ignore[misc] # Connexion ships no types
    """Registers every operation that Connexion finds in a contract as a Flask route."""

    def __init__(
        self,
        app: Flask,
        contract: dict[str, Any],
        resolver: HandlerResolver,
        verifier: TokenVerifier,
    ) -> None:
        self._app = app
        self._verifier = verifier
        super().__init__(Specification(contract), resolver=resolver)

    def make_operation(self, operation: AbstractOperation) -> Operation | None:
        return Operation(operation, self._verifier) if operation.function else None

    @staticmethod
    def _framework_path_and_name(operation: AbstractOperation, path: str) -> tuple[str, str]:
        return flaskify_path(path), operation.operation_id

    def _add_operation_internal(
        self, method: str, path: str, operation: Operation | None, name: str
    ) -> None:
        if operation is not None:  # otherwise ``HandlerResolver.check`` reports it
            self._app.add_url_rule(
                path, name, operation, methods=[method.upper()], provide_automatic_options=False
            )


class _Lifespan:
    """Lifespan of a service: starts its parts in order, and stops them in reverse order."""

    def __init__(self, parts: Sequence[Lifespan], database: Database) -> None:
        self._parts = parts
        self._database = database

    def start(self) -> None:
        for part in self._parts:
            part.start()

    def stop(self) -> None:
        for part in reversed(self._parts):
            part.stop()
        self._database.close()


def build_app(
    spec: ServiceSpec, settings: Settings, extensions: dict[str, Any] | None = None
) -> WsgiBridge:
    """Return a service as an ASGI application.

    Args:
        spec: the definition of the service.
        settings: the settings of the service.
        extensions: objects for ``current_app.extensions``, by name.

    Raises:
        SystemExit: the contract is unreadable or does not match the handlers; the function has
            printed the reason.

    """
    access_log = AccessLog(spec.name, logs.configure(spec.name, settings.log_level))
    tracing = create_tracing(spec.name, settings.traces_endpoint)
    database = open_database(
        settings.database_url,
        settings.read_database_url,
        connections=settings.threads,
        application=spec.name,
        tracing=tracing,
    )
    app = _flask_app(spec)
    app.extensions.update(
        {context.DATABASE: database, context.SETTINGS: settings, **(extensions or {})}
    )
    verifier = TokenVerifier(
        spec.keys,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        leeway=settings.jwt_leeway,
    )
    try:
        contract = load_contract(settings.contracts_dir / f"{spec.name}.yaml")
        resolver = HandlerResolver(spec.name)
        _Routes(app, contract, resolver, verifier)
        resolver.check()
    except ContractError as error:
        sys.stderr.write(f"cannot start: {error}\n")
        raise SystemExit(EX_CONFIG) from None
    api_docs.register(app, spec.prefix, contract)
    health.register(app, Readiness(database, keys_loaded=spec.keys_loaded))
    bridge = WsgiBridge(
        tracing.trace_requests(access_log_middleware(app, access_log)),
        threads=settings.threads,
        body_limit=settings.body_limit,
        overload_response=_overload_response(),
    )
    parts: list[Lifespan] = [access_log, tracing, *spec.lifespans]
    if settings.metrics_bind:
        components = (bridge, database, verifier)
        instruments = [each for component in components for each in component.instruments()]
        bridge.metrics = SharedMetrics(
            spec.name,
            (rule.endpoint for rule in app.url_map.iter_rules() if "." in rule.endpoint),
            [*instruments, *spec.instruments],
            settings.workers,
        )
        parts.append(_metrics_server(bridge.metrics, spec, database, settings.metrics_bind))
    bridge.lifespan = _Lifespan(parts, database)
    return bridge


def _metrics_server(
    shared_metrics: SharedMetrics, spec: ServiceSpec, database: Database, bind: str
) -> Lifespan:
    from servicekit.telemetry import metrics  # noqa: PLC0415 - saves memory without metrics

    collectors: list[Any] = [metrics.SharedMetricsCollector(shared_metrics)]
    if spec.database_metrics is not None:
        collectors.append(metrics.DatabaseCollector(partial(spec.database_metrics, database)))
    return metrics.MetricsServer(bind, *collectors)


def _flask_app(spec: ServiceSpec) -> Flask:
    app = ApiFlask(spec.name, _before_view)
    app.url_map.strict_slashes = False  # a trailing slash does not change the path
    app.url_map.merge_slashes = False  # a double slash does
    error_handlers.register(app, spec.metadata)
    return app


def _before_view(request: Request) -> None:
    environ = request.environ
    environ[ROUTE] = request.url_rule.rule if request.url_rule else None
    if environ["PATH_INFO"].startswith("//"):
        raise NotFound(NO_PATH)  # Werkzeug would merge the slashes
    if environ.get(TOO_LARGE):
        raise PayloadTooLarge


def _overload_response() -> RawResponse:
    """Return the response to requests that exceed the queue."""
    response = error_handlers.problem_response(
        Unavailable("The service is busy; try again shortly")
    )
    headers = [(name.lower().encode(), value.encode()) for name, value in response.headers]
    return response.status, headers, response.data
