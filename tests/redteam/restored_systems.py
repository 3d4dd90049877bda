"""Restores, also from broken backups: nothing is half done, and clients can buy afterwards."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from devstack.service_catalog import SERVICES
from tests.redteam.first_start import LocalSystem
from tests.redteam.killed_commands import (
    DATE,
    PRODUCT,
    State,
    copy_folder,
    read_state,
    run,
    server_of,
)
from tests.redteam.rows import Plan, Row
from tests.support.accounts import create_user, log_in, new_client, new_purchase
from tests.support.dumps import earlier_products, rewrite_dump
from tests.support.http_caller import HttpCaller
from tests.support.steps import StepFailed, check

TRUNCATED_BYTES = 2000
ENTRIES = "SELECT client_id, product_id FROM inventory_items WHERE realm = 'live'"
IDS = {
    "clients": "SELECT id FROM clients WHERE realm = 'live'",
    "products": "SELECT id FROM products WHERE realm = 'live'",
}


@dataclass(frozen=True)
class Past:
    """The data folder of a stopped system that changed after its backup."""

    folder: Path
    data: Path
    backup: Path
    before: State
    after: State
    newest: dict[str, int]  # id of a client and of a product


Damage = Callable[[Past, Path], None]
"""Changes a copy of the backup."""


def rows(_: Plan) -> Iterator[Row]:
    """Restore each service alone, all, into a new folder, and from broken and older backups."""
    folder = Path(tempfile.mkdtemp(prefix="cadastro-redteam-"))
    folder.chmod(0o711)  # PostgreSQL runs as another account
    try:
        past = _past(folder)
        for name in SERVICES:
            yield _restore(past, f"{name} alone", (name,))
        yield _restore(past, "all")
        yield _restore(past, "into a new folder", is_new=True)
        yield _restore(past, "from a truncated dump", damage=_truncate)
        yield _restore(past, "from a foreign dump", damage=_exchange)
        yield _restore(past, "from an older dump", damage=_age)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _truncate(_: Past, backup: Path) -> None:
    rewrite_dump(backup, "products", (backup / "products.dump").read_bytes()[:TRUNCATED_BYTES])


def _exchange(_: Past, backup: Path) -> None:
    rewrite_dump(backup, "products", (backup / "clients.dump").read_bytes())


def _age(past: Past, backup: Path) -> None:
    server = server_of(past.data)
    server.start()
    try:
        rewrite_dump(backup, "products", earlier_products(server, "Caderno"))
    finally:
        server.stop()


REJECTED: tuple[Damage, ...] = (_truncate, _exchange)


def _past(folder: Path) -> Past:
    data = folder / "data"
    system = LocalSystem(data, folder / "first.txt")
    try:
        system.wait_until_ready()
        with HttpCaller(system.url, _token(system)) as caller:
            deleted, _ = _buy_new(caller, "Caneta")
            _buy_new(caller, "Livro")
            before = read_state(data)
            done = run(["devstack.backup", "--data", str(data), "--to", str(folder / "backups")])
            check(done.returncode == 0, done.stderr)
            caller.request("DELETE", f"/clients/delete/{deleted}")
            ids = [_buy_new(caller, name) for name in ("Mesa", "Lupa", "Mapa")][-1]
            create_user(system.url, "redteam")
            after = read_state(data)
    finally:
        system.stop()
    newest = dict(zip(("clients", "products"), ids, strict=True))
    return Past(folder, data, Path(done.stdout.strip()), before, after, newest)


def _token(system: LocalSystem) -> str:
    return log_in(system.url, create_user(system.url, "redteam")) or ""


def _buy_new(caller: HttpCaller, product: str) -> tuple[int, int]:
    """Create a client and a product, let the client buy it, and return the ids."""
    client = caller.request("POST", "/clients/create", new_client("Ana", "redteam"))
    item = caller.request("POST", "/products/create", {"name": product, **PRODUCT})
    ids = int(client.document["id"]), int(item.document["id"])
    bought = caller.request("POST", "/inventory/add_product", new_purchase(*ids, DATE))
    check(bought.status == HTTPStatus.CREATED, f"no purchase: {bought.status}")
    return ids


def _restore(
    past: Past,
    name: str,
    services: tuple[str, ...] = SERVICES,
    *,
    damage: Damage | None = None,
    is_new: bool = False,
) -> Row:
    data, backup = past.folder / "copy", past.folder / "backup"
    copy_folder(past.backup, backup)
    shutil.rmtree(data, ignore_errors=True)
    if not is_new:
        copy_folder(past.data, data)
    if damage is not None:
        damage(past, backup)
    chosen = ["--services", *services] if services != SERVICES else []
    done = run(["devstack.restore", str(backup), "--data", str(data), *chosen])
    is_rejected = damage in REJECTED
    errors = []
    if (done.returncode != 0) != is_rejected:
        errors.append(f"exit code {done.returncode}: {done.stderr.strip()[-200:]}")
    expected = {n: (past.before if n in services else past.after)[n] for n in SERVICES}
    if damage is _age:
        expected["products"] = 1
    system = LocalSystem(data, past.folder / "second.txt")
    try:
        system.wait_until_ready()
        result = _check(system, data, past, past.after if is_rejected else expected, errors)
    except StepFailed as error:
        errors.append(str(error))
        result = "-"
    finally:
        system.stop()
    return Row(f"restore {name}", result, "; ".join(errors))


def _check(system: LocalSystem, data: Path, past: Past, expected: State, errors: list[str]) -> str:
    state = read_state(data)
    half_done = [name for name in SERVICES if name != "inventory" and state[name] != expected[name]]
    if half_done or state["inventory"] > expected["inventory"]:
        errors.append(f"half done: {state} instead of {expected}")
    clients, products = _ids(data, "clients"), _ids(data, "products")
    entries = server_of(data).execute(ENTRIES, database="inventory")
    orphans = sum(c not in clients or p not in products for c, p in entries)
    with HttpCaller(system.url, _token(system)) as caller:
        new = dict(zip(("clients", "products"), _buy_new(caller, "Vela"), strict=True))
        refused = 0
        for client in clients:
            for product in products:
                body = new_purchase(client, product, DATE)
                bought = caller.request("POST", "/inventory/add_product", body)
                refused += bought.status != HTTPStatus.CREATED
    twice = sum(new[name] <= past.newest[name] for name in new)
    counts = {"ids twice": twice, "orphans": orphans, "refused purchases": refused}
    errors += [f"{count} {what}" for what, count in counts.items() if count]
    texts = [f"{count} {what}" for what, count in counts.items()]
    return f"{', '.join(texts)} of {len(clients) * len(products)}"


def _ids(data: Path, name: str) -> set[int]:
    found = server_of(data).execute(IDS[name], database=name)
    return {int(str(row[0])) for row in found}
