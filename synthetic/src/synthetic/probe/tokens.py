"""The token of a run."""

import json
import time
from urllib.parse import urlencode

from synthetic.probe.credentials import Credentials
from synthetic.probe.http import Request, Response
from synthetic.probe.journey import Journey
from synthetic.probe.request_builder import USER_AGENT
from synthetic.probe.results import ProbeError, Reason, StepError

REJECTED_STATUSES = frozenset((400, 401, 403))
OK = 200
EXPIRY_MARGIN_SECONDS = 30.0  # seconds before its end at which a token counts as over


class TokenProvider:
    """Gets a token by client credentials (RFC 6749, 4.4) and keeps it while it is good."""

    def __init__(self, journey: Journey, credentials: Credentials | None) -> None:
        """Ask as ``credentials``, for what ``journey`` needs.

        Raises:
            UsageError: it needs a token, and there are no credentials.

        """
        steps = [step for each in journey.steps for step in (each, each.cleanup) if step]
        if credentials is None and any(step.operation.token_path for step in steps):
            raise ProbeError(
                f"{journey.name} needs a token: name a folder with the files client-id and "
                "client-secret with --credentials"
            )
        self._authorization = credentials.authorization_header() if credentials else ""
        self._expires_at = 0.0
        self.token = ""

    @property
    def is_valid(self) -> bool:
        """Whether there is a token that lives a while yet."""
        return time.monotonic() < self._expires_at

    def request(self, path: str, traceparent: str) -> Request:
        """Return the request for a token, which is to be had at ``path``."""
        headers = {
            "User-Agent": USER_AGENT,
            "traceparent": traceparent,
            "Authorization": self._authorization,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        # no scope asks for all: the inventory asks others under the token that it is called with
        form = {"grant_type": "client_credentials"}
        return Request("POST", path, headers, urlencode(form).encode())

    def store(self, answer: Response) -> None:
        """Keep the token of an answer.

        Raises:
            StepError: with the reason auth, http_status or schema.

        """
        if answer.status != OK:
            reason: Reason = "auth" if answer.status in REJECTED_STATUSES else "http_status"
            raise StepError(reason, f"the token was answered with {answer.status}")
        try:
            document = json.loads(answer.body)
            self.token = document["access_token"].encode("ascii").decode()
            self._expires_at = time.monotonic() + max(
                float(document["expires_in"]) - EXPIRY_MARGIN_SECONDS, 1.0
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise StepError("schema", "the answer holds no token") from error
