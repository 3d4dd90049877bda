"""Queries on users."""

from sqlalchemy import Connection, RowMapping, bindparam, exists, func, select, update

from auth.domain import name_key
from auth.tables import NAME_TAKEN, USERS
from servicekit.db.table_repository import TableRepository
from servicekit.problems import Conflict
from servicekit.realm import Realm

_users = TableRepository(USERS, "user")
_not_expired = USERS.c.expires_at.is_(None) | (USERS.c.expires_at > func.now())
_by_name = select(USERS).where(USERS.c.name_key == bindparam("key"), _not_expired)
_name_exists = select(exists().where(USERS.c.name_key == bindparam("key")))
_rehash = update(USERS).where(USERS.c.id == bindparam("_id")).values(password=bindparam("hash"))


def create_user(connection: Connection, realm: Realm, name: str, password_hash: str) -> int:
    """Add a user and return the id."""
    values = {"name": name, "name_key": name_key(name), "password": password_hash}
    return _users.insert(connection, realm, values)


def require_free_name(connection: Connection, name: str) -> None:
    """Raise ``Conflict`` if a user has this name, in any spelling and realm."""
    if connection.scalar(_name_exists, {"key": name_key(name)}):
        raise Conflict(NAME_TAKEN["msg"], field=NAME_TAKEN["field"])


def find_user(connection: Connection, key: str) -> RowMapping | None:
    """Return the user whose name has this key in either realm, or None."""
    return connection.execute(_by_name, {"key": key}).mappings().first()


def replace_hash(connection: Connection, user_id: int, password_hash: str) -> None:
    """Replace the password hash of a user."""
    connection.execute(_rehash, {"_id": user_id, "hash": password_hash})


def delete_expired_users(connection: Connection, batch: int) -> int:
    """Delete a batch of expired users of monitors, and return their number."""
    return _users.delete_expired(connection, batch)
