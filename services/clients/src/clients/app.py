"""The clients service as an ASGI application."""

from clients import tables
from clients.domain import allow_test_domains
from clients.settings import ClientsSettings
from servicekit.app import ServiceSpec, build_app
from servicekit.auth.jwks import JwksClient
from servicekit.http.wsgi_bridge import WsgiBridge
from servicekit.settings import settings_or_exit


def create_app() -> WsgiBridge:
    """Build the service with settings from the environment."""
    settings = settings_or_exit(ClientsSettings.from_environment)
    allow_test_domains()
    keys = JwksClient(settings.jwks_url, settings.jwks_refresh)
    spec = ServiceSpec(
        name="clients",
        prefix="/clients",
        keys=keys,
        keys_loaded=lambda: keys.is_loaded,
        lifespans=(keys,),
        metadata=tables.METADATA,
    )
    return build_app(spec, settings)
