"""Shared test tools of the services: a token issuer, servers and clients that validate."""

from servicekit.testing.contract_client import ContractClient, Operations
from servicekit.testing.fast_path import Sign, check_fast_path
from servicekit.testing.gunicorn_server import GUNICORN, GunicornServer, gunicorn_server
from servicekit.testing.invalid_request_cases import (
    KEY,
    MISSING_ID,
    CaseFixtures,
    InvalidRequestCases,
    Send,
)
from servicekit.testing.issuer import FakeIssuer, user_claims
from servicekit.testing.recorder import LOGS, personal_members, record, record_secrets
from servicekit.testing.request import Authorize, InvalidRequest, bearer
from servicekit.testing.server import (
    CONTRACTS,
    TIMEOUT,
    environment,
    peer_settings,
    serve,
    wait_until,
)
from servicekit.testing.stub_handler import StubHandler

__all__ = [
    "CONTRACTS",
    "GUNICORN",
    "KEY",
    "LOGS",
    "MISSING_ID",
    "TIMEOUT",
    "Authorize",
    "CaseFixtures",
    "ContractClient",
    "FakeIssuer",
    "GunicornServer",
    "InvalidRequest",
    "InvalidRequestCases",
    "Operations",
    "Send",
    "Sign",
    "StubHandler",
    "bearer",
    "check_fast_path",
    "environment",
    "gunicorn_server",
    "peer_settings",
    "personal_members",
    "record",
    "record_secrets",
    "serve",
    "user_claims",
    "wait_until",
]
