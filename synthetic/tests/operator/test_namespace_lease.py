"""Leases: one operator for each namespace."""

from datetime import UTC, datetime, timedelta

import pytest

from synthetic.operator.api_client import ApiError
from synthetic.operator.namespace_lease import (
    CONTENDER,
    CONTENDER_UNTIL,
    LEASE_NAME,
    NamespaceLeases,
    Ownership,
)
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
    assert (await first.check(NAMESPACE)).holder == ""
    assert (await second.check(NAMESPACE)).holder == "a/one"
    assert (await leases(harness, "a/one").check(NAMESPACE)).holder == ""  # a new pod


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
    assert (await leases(harness, "a/one").check(NAMESPACE)).holder == ""
    (lease,) = harness.cluster.list_kind(LEASES.plural)
    assert lease["spec"]["holderIdentity"] == "a/one"


async def test_a_lease_is_read_once_in_an_interval(harness: OperatorHarness) -> None:
    held = leases(harness, "a/one", 60)
    for _ in range(3):
        await held.check(NAMESPACE)
    assert len([path for _, path in harness.cluster.requests if "/leases" in path]) == 2


async def test_the_holder_reads_the_other_operator_from_its_lease(harness: OperatorHarness) -> None:
    assert await leases(harness, "a/one", 60).check(NAMESPACE) == Ownership()
    assert await leases(harness, "b/two", 60).check(NAMESPACE) == Ownership(holder="a/one")
    for seconds in (60, 0):  # it renews the lease in the second case, and keeps the annotation
        owned = await leases(harness, "a/one", seconds).check(NAMESPACE)
        assert owned == Ownership(contender="b/two")
    assert await leases(harness, "b/two", 60).check(NAMESPACE) == Ownership()  # after its expiry


async def test_operators_without_a_namespace_write_a_lease_once_in_its_lifetime(
    harness: OperatorHarness,
) -> None:
    add_lease(harness)
    for identity in ("b/two", "c/three", "b/two", "c/three", "b/two"):
        assert (await leases(harness, identity, 60).check(NAMESPACE)).holder == "other/synthetic"
    assert len(harness.cluster.writes) == 1
    (lease,) = harness.cluster.list_kind(LEASES.plural)
    assert lease["metadata"]["annotations"][CONTENDER] == "b/two"
    assert lease["spec"]["holderIdentity"] == "other/synthetic"


@pytest.mark.parametrize(
    "annotations",
    [
        {CONTENDER: "b/two"},
        {CONTENDER: "b/two", CONTENDER_UNTIL: "soon"},
        {CONTENDER: "b/two", CONTENDER_UNTIL: "2026-01-31T10:00:00Z"},
        {CONTENDER: "b/two", CONTENDER_UNTIL: "2099-01-31T10:00:00"},
        {CONTENDER_UNTIL: "2099-01-31T10:00:00Z"},
        {CONTENDER: "a/one", CONTENDER_UNTIL: "2099-01-31T10:00:00Z"},
    ],
)
async def test_an_expired_or_unreadable_contender_is_none(
    harness: OperatorHarness, annotations: dict[str, str]
) -> None:
    add_lease(harness, holderIdentity="a/one")
    (lease,) = harness.cluster.list_kind(LEASES.plural)
    harness.change(LEASES, {**lease, "metadata": {**lease["metadata"], "annotations": annotations}})
    assert await leases(harness, "a/one", 60).check(NAMESPACE) == Ownership()


@pytest.mark.parametrize("status", [403, 404, 409])
async def test_an_operator_that_cannot_write_the_lease_still_leaves_the_namespace(
    harness: OperatorHarness, status: int
) -> None:
    add_lease(harness)
    harness.cluster.fail("PUT", "*/leases/*", status)
    assert (await leases(harness, "b/two", 60).check(NAMESPACE)).holder == "other/synthetic"


async def test_works_without_permissions_on_leases(harness: OperatorHarness) -> None:
    harness.cluster.fail("GET", "*/leases/*", 403)
    assert (await leases(harness, "a/one").check(NAMESPACE)).holder == ""


async def test_an_unavailable_api_server_decides_nothing(harness: OperatorHarness) -> None:
    harness.cluster.fail("GET", "*/leases/*", 500)
    with pytest.raises(ApiError):
        await leases(harness, "a/one").check(NAMESPACE)
