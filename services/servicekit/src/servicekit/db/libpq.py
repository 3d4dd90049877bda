"""Connection parameters that libpq would take from the environment: PGHOSTADDR, PGOPTIONS, ...

They are set for each connection, since a variable of a shell or a base image could redirect a
service, change its search path, or make text unreadable.
"""

from collections.abc import Container

_PARAMETERS = {"client_encoding": "utf8", "hostaddr": "", "options": ""}  # "" is libpq's default


def explicit_parameters(given: Container[str]) -> dict[str, str]:
    """Return the parameters to set, except those that a database URL has ``given``."""
    return {name: value for name, value in _PARAMETERS.items() if name not in given}
