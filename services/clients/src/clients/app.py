"""The clients service as an ASGI application."""

from clients import tables
from clients.domain import allow_test_domains
from clients.settings import ClientsSettings
from servicekit.app import ServiceSpec, build_app
from servicekit.auth.jwks import JwksClient
from servicekit.http.wsgi_bridge import WsgiBridge
from servicekit.settings import settings_or_exit


def create_app() -> WsgiBridge:
    """Build the service from its environment."""
    settings = settings_or_exit(ClientsSettings.from_environment)
    allow_test_domains()
    keys = JwksClient(settings.jwks_url, settings.jwks_refresh)
    spec = ServiceSpec("clients", "/clients", keys, lambda: keys.is_loaded, [keys], tables.METADATA)
    return build_app(spec, settings)
