"""The realm of monitors, as a test looks into it."""

from pathlib import Path

import httpx


def let_in(url: str, secret: Path) -> dict[str, str]:
    """Return the headers of somebody whom a system knows by the monitors' secret."""
    form = {"grant_type": "client_credentials"}
    auth = ("synthetic", secret.read_text().strip())
    token = httpx.post(f"{url}/users/token", data=form, auth=auth).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}
