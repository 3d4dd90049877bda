"""Login into the realm of the monitors."""

from pathlib import Path

import httpx


def monitor_headers(url: str, secret: Path) -> dict[str, str]:
    """Return the Authorization header of the client that has the monitors' secret."""
    form = {"grant_type": "client_credentials"}
    auth = ("synthetic", secret.read_text().strip())
    token = httpx.post(f"{url}/users/token", data=form, auth=auth).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}
