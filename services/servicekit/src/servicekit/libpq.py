"""Connection parameters of a database URL, as libpq reads it.

Every process uses libpq's parser, since SQLAlchemy's reads several hosts in another way. Parameters
that libpq would take from the environment (PGHOSTADDR, PGOPTIONS, ...) are set for each connection:
a variable of a shell or a base image could redirect a service, change its search path, or make text
unreadable.
"""

from psycopg2.extensions import parse_dsn

_DEFAULTS = {"client_encoding": "utf8", "hostaddr": "", "options": ""}  # "" is libpq's default

# Settings of each session, which those of the URL replace. The server notices after a minute that a
# client's machine has died: by default after two hours, in which the session keeps its locks, such
# as those of a migration, and its place among ``max_connections``.
_SESSION = "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"


def connection_parameters(url: str) -> dict[str, str]:
    """Return the parameters of a database URL, by libpq's names for them.

    ``url`` is a connection URI (PostgreSQL documentation, 32.1.1.2) and may name psycopg2 as the
    driver.

    Raises:
        psycopg2.ProgrammingError: it is not a valid connection URI.

    """
    # libpq rejects a driver name
    given = parse_dsn(url.replace("postgresql+psycopg2://", "postgresql://", 1))
    parameters = {**_DEFAULTS, **given}
    return parameters | {"options": f"{_SESSION} {parameters['options']}".strip()}
