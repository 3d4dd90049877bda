"""Fixtures of the contract tests."""

import pytest

from devstack.service_catalog import SERVICES
from servicekit.openapi.contract import dereference
from tests.support.openapi.contract_parts import Node, load_bundled


@pytest.fixture(params=SERVICES)
def contract(request: pytest.FixtureRequest) -> Node:
    """The contract of one service, with all references dereference."""
    return dereference(load_bundled(request.param))
