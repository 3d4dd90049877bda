"""Leases: one operator for each namespace."""

from datetime import UTC, datetime, timedelta

import pytest

from synthetic.operator.api_client import ApiError
from synthetic.operator.namespace_lease import LEASE_NAME, NamespaceLeases
from synthetic.operator.resources import LEASES, Object
from tests.support.synthetic.operator_harness import NAMESPACE, OperatorHarness

pytestmark = pytest.mark.anyio


def leases(harness: OperatorHarness, identity: str, renew_seconds: float = 0) -> NamespaceLeases:
    """Return the leases of an operator, renewed at each call."""
    return NamespaceLeases(harness.api, identity, renew_seconds)


def add_lease(harness: OperatorHarness, **spec: object) -> None:
    """Create the lease of another operator."""
    metadata = {"name": LEASE_NAME, "namespace": NAMESPACE}
    renewed = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    defaults: Object = {
        "holderIdentity": "other/synthetic",
        "leaseDurationSeconds": 360,
        "renewTime": renewed,
    }
    harness.add(LEASES, {"metadata": metadata, "spec": {**defaults, **spec}})


async def test_the_first_operator_holds_the_lease_and_the_second_does_not(
    harness: OperatorHarness,
) -> None:
    first, second = leases(harness, "a/one", 60), leases(harness, "b/two", 60)
    assert await first.other_holder(NAMESPACE) == ""
    assert await second.other_holder(NAMESPACE) == "a/one"
    assert await leases(harness, "a/one").other_holder(NAMESPACE) == ""  # a new pod


@pytest.mark.parametrize(
    "spec",
    [
        {"renewTime": f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M:%S.%fZ}"},
        {"renewTime": "never"},
        {"renewTime": None},
        {"leaseDurationSeconds": None},
        {"holderIdentity": None},
    ],
)
async def test_an_expired_or_unreadable_lease_is_taken_over(
    harness: OperatorHarness, spec: dict[str, object]
) -> None:
    add_lease(harness, **spec)
    assert await leases(harness, "a/one").other_holder(NAMESPACE) == ""
    (lease,) = harness.cluster.list_kind(LEASES.plural)
    assert lease["spec"]["holderIdentity"] == "a/one"


async def test_a_lease_is_read_once_in_an_interval(harness: OperatorHarness) -> None:
    held = leases(harness, "a/one", 60)
    for _ in range(3):
        await held.other_holder(NAMESPACE)
    assert len([path for _, path in harness.cluster.requests if "/leases" in path]) == 2


async def test_works_without_permissions_on_leases(harness: OperatorHarness) -> None:
    harness.cluster.fail("GET", "*/leases/*", 403)
    assert await leases(harness, "a/one").other_holder(NAMESPACE) == ""


async def test_an_unavailable_api_server_decides_nothing(harness: OperatorHarness) -> None:
    harness.cluster.fail("GET", "*/leases/*", 500)
    with pytest.raises(ApiError):
        await leases(harness, "a/one").other_holder(NAMESPACE)
