"""HTTP client for verification and cleanup: it retries while the system recovers from the load."""

import time
from collections.abc import Iterator

import httpx

from load.users.token_provider import TokenProvider

RETRY_SECONDS = 15.0
RETRY_INTERVAL_SECONDS = 0.2
PAGE_SIZE = 1000
RETRYABLE_STATUSES = (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS)


class SystemClient:
    """A client of the system, in the realm of the load."""

    def __init__(self, url: str, secret_file: str = "") -> None:
        """Use the system at ``url``."""
        self._tokens = TokenProvider(url, secret_file)
        self._http = httpx.Client(base_url=url, timeout=20)

    def request(self, method: str, path: str) -> httpx.Response:
        """Send a request; retry transport errors and refusals for some seconds."""
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            try:
                headers = {"Authorization": f"Bearer {self._tokens.token()}"}
                response = self._http.request(method, path, headers=headers)
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
            else:
                is_refused = response.status_code in RETRYABLE_STATUSES
                if not is_refused or time.monotonic() > deadline:
                    return response
            time.sleep(RETRY_INTERVAL_SECONDS)

    def rows(self, path: str) -> Iterator[dict[str, object]]:
        """Yield the rows of all pages of a list."""
        next_path = f"{path}?limit={PAGE_SIZE}"
        while next_path:
            response = self.request("GET", next_path)
            response.raise_for_status()
            yield from response.json()
            link = response.links.get("next", {}).get("url", "")
            next_path = str(response.url.join(link)) if link else ""
