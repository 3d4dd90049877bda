"""What the tests of the contracts share."""

import pytest
from contract_walk import Node, bundled

from localstack.catalogue import SERVICES
from servicekit.testing import resolved


@pytest.fixture(params=SERVICES)
def contract(request: pytest.FixtureRequest) -> Node:
    """One service's contract, with every reference replaced by what it names."""
    return resolved(bundled(request.param))
