"""Data and operations of the personas."""

from pathlib import Path

from validate_docbr import CPF

from load.users import fake_data
from load.users.dataset import Dataset
from load.users.operation_table import OPERATIONS
from servicekit.openapi.contract import load_contract, operations

CONTRACTS = Path(__file__).parents[2] / "openapi"


def test_every_operation_is_declared_in_a_contract() -> None:
    declared = {
        operation["operationId"]: (method.upper(), path, min(map(int, operation["responses"])))
        for contract in CONTRACTS.glob("*.yaml")
        for path, method, operation in operations(load_contract(contract))
    }
    for name, operation in OPERATIONS.items():
        method, path, status = declared[name]
        called = operation.url_path(7).replace("7", "{}")
        template = "/".join("{}" if part.startswith("{") else part for part in path.split("/"))
        assert (operation.method, called, operation.status) == (method, template, status)


def test_a_generated_cpf_is_valid() -> None:
    for number in (1, 7, 123_456_789, 999_999_998, 111_444_777, 529_982_247):
        assert CPF().validate(fake_data.cpf(number)), number


def test_an_uncertain_call_widens_the_bounds_of_an_inventory() -> None:
    dataset = Dataset("load-test", clients={1: {}})
    dataset.purchase_confirmed(1, 10, 5)
    dataset.purchase_uncertain(1, 3)
    assert dataset.drain() == {1: (5, 8)}
    purchase = dataset.remove_purchase()
    assert purchase is not None
    dataset.removal_uncertain(purchase)
    assert dataset.drain() == {1: (0, 8)}
    dataset.deletion_confirmed(1)
    assert dataset.drain() == {1: (0, 0)}


def test_a_client_in_use_is_not_removed() -> None:
    dataset = Dataset("load-test", clients={1: {}})
    with dataset.use_client():
        assert dataset.remove_unused_client(keep=0) is None
    assert dataset.remove_unused_client(keep=0) == 1
