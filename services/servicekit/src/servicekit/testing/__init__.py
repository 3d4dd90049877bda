"""What the services' tests share: an issuer of tokens, real servers, and a client that checks."""

from servicekit.testing.client import ContractClient, Operations
from servicekit.testing.issuer import Issuer, user_claims
from servicekit.testing.notes import LOGS, record, remember
from servicekit.testing.server import (
    CONTRACTS,
    PATIENCE,
    environment,
    peer_settings,
    serve,
    wait_until,
)
from servicekit.testing.stand_in import StandIn

__all__ = [
    "CONTRACTS",
    "LOGS",
    "PATIENCE",
    "ContractClient",
    "Issuer",
    "Operations",
    "StandIn",
    "environment",
    "peer_settings",
    "record",
    "remember",
    "serve",
    "user_claims",
    "wait_until",
]
