"""Every query on users."""

from sqlalchemy import Connection, RowMapping, bindparam, func, select, update

from auth.domain import name_key
from auth.tables import USERS
from servicekit.db.crud import TableRepository
from servicekit.realm import Realm

_users = TableRepository(USERS, "user")
_alive = USERS.c.expires_at.is_(None) | (USERS.c.expires_at > func.now())
_by_name = select(USERS).where(USERS.c.name_key == bindparam("key"), _alive)
_rehash = update(USERS).where(USERS.c.id == bindparam("_id")).values(password=bindparam("hash"))


def create_user(connection: Connection, realm: Realm, name: str, password_hash: str) -> int:
    """Add a user and return the id."""
    values = {"name": name, "name_key": name_key(name), "password": password_hash}
    return _users.insert(connection, realm, values)


def find_user(connection: Connection, name: str) -> RowMapping | None:
    """Return the user of that name, of either realm, if there is one."""
    return connection.execute(_by_name, {"key": name_key(name)}).mappings().first()


def replace_hash(connection: Connection, user_id: int, password_hash: str) -> None:
    """Keep a user's password under a hash with today's parameters."""
    connection.execute(_rehash, {"_id": user_id, "hash": password_hash})


def delete_expired_users(connection: Connection, batch: int) -> int:
    """Delete users that monitors left behind; return how many they were."""
    return _users.delete_expired(connection, batch)
