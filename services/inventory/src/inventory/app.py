"""The inventory service as an ASGI application."""

from inventory import owner_services, repository, tables
from inventory.owner_services import OwnerServices
from inventory.settings import InventorySettings
from servicekit.app import ServiceSpec, build_app
from servicekit.auth.jwks import JwksClient
from servicekit.http.wsgi_bridge import WsgiBridge
from servicekit.settings import settings_or_exit


def create_app() -> WsgiBridge:
    """Build the service with settings from the environment."""
    settings = settings_or_exit(InventorySettings.from_environment)
    keys = JwksClient(settings.jwks_url, settings.jwks_refresh)
    owners = OwnerServices(settings.clients_url, settings.products_url)
    spec = ServiceSpec(
        name="inventory",
        prefix="/inventory",
        keys=keys,
        keys_loaded=lambda: keys.is_loaded,
        lifespans=(keys, owners),
        metadata=tables.METADATA,
        database_metrics=repository.metrics,
    )
    return build_app(spec, settings, {owner_services.EXTENSION: owners})
