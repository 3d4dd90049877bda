"""The inventory service as an ASGI application."""

from inventory import gateways, repository, tables
from inventory.gateways import Owners
from inventory.settings import InventorySettings
from servicekit.app import ServiceSpec, build_app
from servicekit.auth.jwks import JwksClient
from servicekit.http.wsgi_bridge import WsgiBridge
from servicekit.settings import settings_or_exit


def create_app() -> WsgiBridge:
    """Build the service from its environment."""
    settings = settings_or_exit(InventorySettings.from_environment)
    keys = JwksClient(settings.jwks_url, settings.jwks_refresh)
    owners = Owners(settings.clients_url, settings.products_url)
    spec = ServiceSpec(
        "inventory",
        "/inventory",
        keys,
        lambda: keys.is_loaded,
        (keys, owners),
        tables.METADATA,
        database_metrics=repository.metrics,
    )
    return build_app(spec, settings, {gateways.EXTENSION: owners})
