"""Builds a service: its contract, its handlers, its database, behind one bridge to the loop."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Flask, Request
from sqlalchemy import MetaData

from servicekit.auth.tokens import KeyProvider, TokenVerifier
from servicekit.db.database import METADATA, Database
from servicekit.http import api_docs, context, error_handlers, health
from servicekit.http.access_log import ROUTE, AccessLog, access_log_middleware
from servicekit.http.flask_app import ApiFlask
from servicekit.http.health import Readiness
from servicekit.http.wsgi_bridge import TOO_LARGE, Lifespan, WsgiBridge
from servicekit.openapi.lazy_connexion import (
    AbstractOperation,
    AbstractRoutingAPI,
    flaskify_path,
)
from servicekit.openapi.operation import Operation
from servicekit.openapi.resolver import HandlerResolver
from servicekit.openapi.specification import ContractError, Specification, load_contract
from servicekit.problems import NO_PATH, NotFound, PayloadTooLarge, Unavailable
from servicekit.settings import EX_CONFIG, Settings
from servicekit.telemetry import logs
from servicekit.telemetry.setup import create_tracing
from servicekit.telemetry.shared_metrics import Fact, Meter, Reading


@dataclass(frozen=True)
class Service:
    """What a service is made of, besides its settings."""

    name: str  # of its package, its contract and its database
    prefix: str  # of its contract's pages
    keys: KeyProvider
    has_keys: Callable[[], bool]
    lifecycles: Sequence[Lifespan] = ()
    metadata: MetaData = METADATA
    readings: Sequence[Reading] = ()  # of what it has beside the database
    facts: Callable[[Database], Iterable[Fact]] | None = None  # that its database holds


class _Routes(AbstractRoutingAPI[Operation]):  # type: ignore[misc] # Connexion ships no types
    """Puts every operation that Connexion reads from a contract on a Flask route."""

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
        if operation is not None:  # the resolver has kept its name, and tells it at the end
            self._app.add_url_rule(
                path, name, operation, methods=[method.upper()], provide_automatic_options=False
            )


class _Process:
    """The start and the end of a service's process."""

    def __init__(self, lifecycles: Sequence[Lifespan], database: Database) -> None:
        self._lifecycles = lifecycles
        self._database = database

    def start(self) -> None:
        for lifecycle in self._lifecycles:
            lifecycle.start()

    def stop(self) -> None:
        for lifecycle in reversed(self._lifecycles):
            lifecycle.stop()
        self._database.close()


def build_app(
    service: Service, settings: Settings, extensions: dict[str, Any] | None = None
) -> WsgiBridge:
    """Return a service as an ASGI application.

    Args:
        service: what the service is made of.
        settings: its settings.
        extensions: what its handlers find in ``current_app.extensions``, by name.

    Raises:
        SystemExit: the contract cannot be read, or does not fit the handlers; it has been said.

    """
    access = AccessLog(service.name, logs.configure(service.name, settings.log_level))
    spans = create_tracing(service.name, settings.traces_endpoint)
    database = Database(
        settings.database_url,
        connections=settings.threads,
        application=service.name,
        tracing=spans,
    )
    app = _flask(service)
    app.extensions.update(
        {context.DATABASE: database, context.SETTINGS: settings, **(extensions or {})}
    )
    verifier = TokenVerifier(
        service.keys, issuer=settings.jwt_issuer, audience=settings.jwt_audience
    )
    try:
        contract = load_contract(settings.contracts_dir / f"{service.name}.yaml")
        resolver = HandlerResolver(service.name)
        _Routes(app, contract, resolver, verifier)
        resolver.check()
    except ContractError as error:
        sys.stderr.write(f"cannot start: {error}\n")
        raise SystemExit(EX_CONFIG) from None
    api_docs.register(app, service.prefix, contract)
    health.register(app, Readiness(database, keys_loaded=service.has_keys))
    lifecycles: list[Lifespan] = [access, spans, *service.lifecycles]
    bridge = WsgiBridge(
        spans.answering(access_log_middleware(app, access)),
        lifespan=_Process(lifecycles, database),
        threads=settings.threads,
        body_limit=settings.body_limit,
        overload_response=_busy(),
    )
    if settings.metrics_bind:
        sources = (bridge, database, verifier)
        readings = [reading for source in sources for reading in source.readings()]
        bridge.meter = Meter(
            service.name,
            (rule.endpoint for rule in app.url_map.iter_rules() if "." in rule.endpoint),
            [*readings, *service.readings],
            settings.workers,
        )
        lifecycles.append(_exporter(bridge.meter, service, database, settings.metrics_bind))
    return bridge


def _exporter(meter: Meter, service: Service, database: Database, bind: str) -> Lifespan:
    from servicekit.telemetry import metrics  # noqa: PLC0415 - memory that only who is scraped needs

    collectors: list[Any] = [metrics.MeterCollector(meter)]
    if service.facts is not None:
        collectors.append(metrics.FactsCollector(partial(service.facts, database)))
    return metrics.Exporter(bind, *collectors)


def _flask(service: Service) -> Flask:
    app = ApiFlask(service.name, _begin)
    app.url_map.strict_slashes = False  # a path that ends in a slash is the same path
    app.url_map.merge_slashes = False  # and one with two of them is another
    error_handlers.register(app, service.metadata)
    return app


def _begin(request: Request) -> None:
    environ = request.environ
    environ[ROUTE] = request.url_rule.rule if request.url_rule else None
    if environ["PATH_INFO"].startswith("//"):
        raise NotFound(NO_PATH)  # Werkzeug would take the slashes for one
    if environ.get(TOO_LARGE):
        raise PayloadTooLarge


def _busy() -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Return the answer to a request for which there is no room."""
    answer = error_handlers.problem_response(Unavailable("The service is busy; try again shortly"))
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
    return answer.status, headers, answer.data
