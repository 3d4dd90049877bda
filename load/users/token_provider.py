"""Tokens: one user a process logs in seldom, and renews its token before it expires."""

import base64
import json
import secrets
import time
from pathlib import Path

import httpx

PATIENCE = 20.0  # seconds
RENEWED_AT = 0.8  # of a token's life


class AccessError(Exception):
    """No token could be had; the message says why."""


class Access:
    """A user of our own, in the synthetic realm when the monitors' secret is at hand."""

    def __init__(self, url: str, secret_file: str = "") -> None:
        """Make the user of the system at ``url``.

        Raises:
            AccessError: the system refused.

        """
        self.credentials = f"load-{secrets.token_hex(8)}", secrets.token_urlsafe(24)
        self._http = httpx.Client(base_url=url, timeout=PATIENCE)
        self._secret_file = secret_file
        self._token = ""
        self._renew_at = 0.0

    def token(self) -> str:
        """Return a token that lives for a while yet."""
        if time.time() > self._renew_at:
            before, self._renew_at = (
                self._renew_at,
                time.time() + PATIENCE,
            )  # others go on meanwhile
            if not before:
                self._register()
            self._token = self._log_in()
            claims = _claims(self._token)
            self._renew_at = claims["iat"] + RENEWED_AT * (claims["exp"] - claims["iat"])
        return self._token

    def _register(self) -> None:
        headers = {}
        if self._secret_file:
            secret = Path(self._secret_file).read_text().strip()
            form = {"grant_type": "client_credentials"}
            answer = self._http.post("/users/token", data=form, auth=("synthetic", secret))
            headers["Authorization"] = f"Bearer {_expect(200, answer)['access_token']}"
        name, password = self.credentials
        body = {"username": name, "password": password}
        _expect(201, self._http.post("/users/create", json=body, headers=headers))

    def _log_in(self) -> str:
        answer = self._http.post("/users/login", auth=self.credentials)
        return str(_expect(200, answer)["token"])


def _expect(status: int, answer: httpx.Response) -> dict[str, str]:
    if answer.status_code != status:
        request = f"{answer.request.method} {answer.request.url.path}"
        told = " ".join(answer.text.split())[:200]
        raise AccessError(f"{request} answered {answer.status_code}: {told}")
    document: dict[str, str] = answer.json()
    return document


def _claims(token: str) -> dict[str, float]:
    """Return what a token says of itself; whoever made it was asked over the same connection."""
    part = token.split(".")[1]
    claims: dict[str, float] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims
