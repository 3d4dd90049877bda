"""What the services' tests share: an issuer of tokens, real servers, and clients that check."""

from servicekit.testing.client import ContractClient, Operations
from servicekit.testing.deployed import GUNICORN, Deployed, deployed
from servicekit.testing.issuer import Issuer, user_claims
from servicekit.testing.notes import LOGS, record, remember
from servicekit.testing.refusals import KEY, NOBODY, Given, Refusals, Send
from servicekit.testing.request import Authorize, Bad, bearer
from servicekit.testing.server import (
    CONTRACTS,
    PATIENCE,
    environment,
    peer_settings,
    serve,
    wait_until,
)
from servicekit.testing.stand_in import StandIn
from servicekit.testing.trial import Sign, fast_path_faults

__all__ = [
    "CONTRACTS",
    "GUNICORN",
    "KEY",
    "LOGS",
    "NOBODY",
    "PATIENCE",
    "Authorize",
    "Bad",
    "ContractClient",
    "Deployed",
    "Given",
    "Issuer",
    "Operations",
    "Refusals",
    "Send",
    "Sign",
    "StandIn",
    "bearer",
    "deployed",
    "environment",
    "fast_path_faults",
    "peer_settings",
    "record",
    "remember",
    "serve",
    "user_claims",
    "wait_until",
]
