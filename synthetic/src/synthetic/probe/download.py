"""Download of documents by URL."""

from urllib.parse import urljoin

from synthetic.probe.deadline import Deadline
from synthetic.probe.exchanges import masked_url
from synthetic.probe.http import HttpClient, Request
from synthetic.probe.results import ProbeError, StepError
from synthetic.probe.target import parse_endpoint
from synthetic.probe.transport import Proxy

OK = 200
REDIRECTS = frozenset((301, 302, 303, 307, 308))
MAX_REDIRECTS = 5
TIMEOUT_SECONDS = 15.0  # for all redirects together


def download(url: str, max_bytes: int, proxy: Proxy | None = None) -> bytes:
    """Return the body at an http or https URL, after at most ``MAX_REDIRECTS`` redirects.

    Raises:
        ProbeError: the document cannot be fetched, or is longer than ``max_bytes``.

    """
    deadline = Deadline(TIMEOUT_SECONDS)
    location, url = url, masked_url(url)
    secure = False
    for _ in range(MAX_REDIRECTS + 1):
        target, path = parse_endpoint(location, f"the document {url}")
        if secure and not target.secure:
            raise ProbeError(f"{url} cannot be fetched: it redirects from https to {target.url}")
        secure = target.secure
        client = HttpClient(target, max_bytes, proxy=proxy)
        try:
            response = client.send(Request("GET", path, {}), deadline)
        except StepError as error:
            raise ProbeError(f"{url} cannot be fetched: {error}") from error
        finally:
            client.close()
        if response.status == OK:
            return response.body
        if response.status not in REDIRECTS or "location" not in response.headers:
            raise ProbeError(f"{url} cannot be fetched: the response status is {response.status}")
        try:
            location = urljoin(location, response.headers["location"])
        except ValueError as error:
            raise ProbeError(f"{url} cannot be fetched: it redirects to no URL") from error
    raise ProbeError(f"{url} cannot be fetched: there are more than {MAX_REDIRECTS} redirects")
