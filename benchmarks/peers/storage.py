# mypy: allow-subclassing-any, allow-untyped-decorators, no-warn-unused-ignores
# The packages of the peers are absent from this environment.
"""Storage of clients with SQLAlchemy's ORM, for three of the peers."""

from decimal import Decimal

from sqlalchemy import BigInteger, Numeric, String, create_engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from benchmarks.peers.rules import DATABASE_URL, ProblemError, taken


class Base(DeclarativeBase):
    """The base of the one mapped class."""


class ClientRow(Base):
    """A row of the service's own table."""

    __tablename__ = "clients"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    realm: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(600))
    cpf: Mapped[str] = mapped_column(String(14))
    balance: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    version: Mapped[int] = mapped_column(BigInteger, server_default="1")

    def to_dict(self) -> dict[str, int | str]:
        """Return the row as in a response."""
        return {
            "id": self.id,
            "name": self.name,
            "email": self.email,
            "cpf": self.cpf,
            "balance": f"{self.balance:.2f}",
        }


def session_factory(pool_size: int) -> sessionmaker[Session]:
    """Return a session factory with a pool of this size."""
    url = DATABASE_URL.replace("postgresql://", "postgresql+psycopg2://")
    engine = create_engine(url, pool_size=pool_size, max_overflow=0)
    return sessionmaker(engine, expire_on_commit=False)  # otherwise a commit causes another SELECT


def fetch(session: Session, realm: str, client_id: int) -> ClientRow:
    """Return a client; raises ``ProblemError``."""
    wanted = select(ClientRow).where(ClientRow.id == client_id, ClientRow.realm == realm)
    row = session.scalars(wanted).one_or_none()
    if row is None:
        raise ProblemError(404, "there is no such client")
    return row


def page(session: Session, realm: str, limit: int, after: int) -> list[ClientRow]:
    """Return a page of clients, and one more row where there is a next page."""
    wanted = select(ClientRow).where(ClientRow.realm == realm, ClientRow.id > after)
    return list(session.scalars(wanted.order_by(ClientRow.id).limit(limit + 1)))


def create(
    session: Session, realm: str, *, name: str, email: str, cpf: str, balance: Decimal
) -> int:
    """Add a client and return its id; raises ``ProblemError``."""
    row = ClientRow(
        realm=realm, name=name, email=email, email_key=email.casefold(), cpf=cpf, balance=balance
    )
    session.add(row)
    _commit(session)
    return row.id


def update(
    session: Session,
    realm: str,
    client_id: int,
    *,
    name: str,
    email: str,
    cpf: str,
    balance: Decimal,
) -> int:
    """Replace a client and return its new version; raises ``ProblemError``."""
    row = fetch(session, realm, client_id)
    row.name, row.email, row.email_key = name, email, email.casefold()
    row.cpf, row.balance = cpf, balance
    row.version += 1
    version = row.version
    _commit(session)
    return version


def _commit(session: Session) -> None:
    try:
        session.flush()
        session.commit()
    except IntegrityError as error:
        diagnostics = getattr(error.orig, "diag", None)
        raise taken(getattr(diagnostics, "constraint_name", None)) from None
