"""What the service that answers the current request has: its database and its settings."""

from flask import current_app

from servicekit.db.database import Database
from servicekit.settings import Settings, Validation

DATABASE = "cadastro.database"
SETTINGS = "cadastro.settings"


def database() -> Database:
    """Return its database."""
    found: Database = current_app.extensions[DATABASE]
    return found


def validation() -> Validation:
    """Return how strictly it checks documents."""
    settings: Settings = current_app.extensions[SETTINGS]
    return settings.validation
