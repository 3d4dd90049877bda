"""The auth service as an ASGI application."""

import sys

from auth import context, tables
from auth.context import AuthComponents
from auth.keys import SigningKeyError
from auth.settings import AuthSettings
from servicekit.app import ServiceSpec, build_app
from servicekit.http.wsgi_bridge import WsgiBridge
from servicekit.settings import EX_CONFIG, settings_or_exit


def create_app() -> WsgiBridge:
    """Build the service with settings from the environment."""
    settings = settings_or_exit(AuthSettings.from_environment)
    try:
        components = AuthComponents.from_settings(settings)
    except SigningKeyError as error:
        sys.stderr.write(f"cannot start: KEYS_DIR: {error}\n")
        raise SystemExit(EX_CONFIG) from None
    spec = ServiceSpec(
        "auth",
        "/users",
        components.keys,
        lambda: True,
        metadata=tables.METADATA,
        instruments=components.passwords.instruments(),
    )
    return build_app(spec, settings, {context.EXTENSION: components})
