"""Connection parameters of a database URL, as libpq reads it.

Every process uses libpq's parser, since SQLAlchemy's reads several hosts in another way. Parameters
that libpq would take from the environment (PGHOSTADDR, PGOPTIONS, ...) are set for each connection:
a variable of a shell or a base image could redirect a service, change its search path, or make text
unreadable.
"""

from psycopg2.extensions import parse_dsn

_DEFAULTS = {"client_encoding": "utf8", "hostaddr": "", "options": ""}  # "" is libpq's default


def connection_parameters(url: str) -> dict[str, str]:
    """Return the parameters of a database URL, by libpq's names for them.

    ``url`` is a connection URI (PostgreSQL documentation, 32.1.1.2) and may name psycopg2 as the
    driver.

    Raises:
        psycopg2.ProgrammingError: it is not a valid connection URI.

    """
    # libpq rejects a driver name
    given = parse_dsn(url.replace("postgresql+psycopg2://", "postgresql://", 1))
    return {**_DEFAULTS, **given}
