"""Deletion of the rows of a run."""

import httpx

from load.harness.progress import with_progress
from load.harness.system_client import SystemClient

DELETED = (httpx.codes.OK, httpx.codes.NOT_FOUND)


def delete_rows(system: SystemClient, run_id: str) -> int:
    """Delete the clients and products of a run, also of a killed one; return their number."""
    clients = [
        f"/clients/delete/{row['id']}"
        for row in system.rows("/clients/fetch")
        if str(row["email"]).endswith(f"@{run_id}.test")
    ]
    products = [
        f"/products/delete/{row['id']}"
        for row in system.rows("/products/fetch")
        if f" {run_id} " in str(row["name"])
    ]
    for path in with_progress("deleting", clients + products):
        response = system.request("DELETE", path)
        if response.status_code not in DELETED:
            response.raise_for_status()
    return len(clients) + len(products)
