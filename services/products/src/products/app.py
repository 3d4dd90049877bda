"""The products service as an ASGI application."""

from products import tables
from products.settings import ProductsSettings
from servicekit.app import ServiceSpec, build_app
from servicekit.auth.jwks import JwksClient
from servicekit.http.wsgi_bridge import WsgiBridge
from servicekit.settings import settings_or_exit


def create_app() -> WsgiBridge:
    """Build the service with settings from the environment."""
    settings = settings_or_exit(ProductsSettings.from_environment)
    keys = JwksClient(settings.jwks_url, settings.jwks_refresh)
    spec = ServiceSpec(
        name="products",
        prefix="/products",
        keys=keys,
        keys_loaded=lambda: keys.is_loaded,
        lifespans=(keys,),
        metadata=tables.METADATA,
    )
    return build_app(spec, settings)
