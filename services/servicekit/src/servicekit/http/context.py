"""Database and settings of the service that handles the current request."""

from flask import current_app

from servicekit.db.database import Database
from servicekit.settings import Settings, Validation

DATABASE = "cadastro.database"  # keys of ``current_app.extensions``
SETTINGS = "cadastro.settings"


def database() -> Database:
    """Return the database of the service."""
    found: Database = current_app.extensions[DATABASE]
    return found


def validation() -> Validation:
    """Return how strictly the service validates documents."""
    settings: Settings = current_app.extensions[SETTINGS]
    return settings.validation


def instance() -> str:
    """Return the name of the service's instance; empty without one."""
    settings: Settings = current_app.extensions[SETTINGS]
    return settings.instance
