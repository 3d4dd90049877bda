"""Fixtures of the contract tests."""

import pytest
from contract_walk import Node, bundled

from devstack.service_catalog import SERVICES
from servicekit.testing import resolved


@pytest.fixture(params=SERVICES)
def contract(request: pytest.FixtureRequest) -> Node:
    """The contract of one service, with all references resolved."""
    return resolved(bundled(request.param))
