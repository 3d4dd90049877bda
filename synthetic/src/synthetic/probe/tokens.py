"""The token of a run: for what its journey does, and nothing more."""

import json
import time
from urllib.parse import urlencode

from synthetic.probe.contract import Grant
from synthetic.probe.credentials import Credentials
from synthetic.probe.http import Answer, Request
from synthetic.probe.journey import Journey
from synthetic.probe.outcome import Reason, StepError, UsageError
from synthetic.probe.requests import USER_AGENT

REFUSED = frozenset((400, 401, 403))
OK = 200
MARGIN = 30.0  # seconds before its end at which a token counts as over


class Tokens:
    """Gets a token by client credentials (RFC 6749, 4.4) and keeps it while it is good."""

    def __init__(self, journey: Journey, credentials: Credentials | None) -> None:
        """Ask for what the steps of ``journey`` need, as ``credentials``."""
        self._journey = journey.name
        self._credentials = credentials
        steps = [s for step in journey.steps for s in (step, step.cleanup) if s]
        grants = [step.operation.grant for step in steps if step.operation.grant]
        self._scopes = sorted({scope for grant in grants for scope in grant.scopes})
        self._until = 0.0
        self.token = ""

    @property
    def is_good(self) -> bool:
        """Whether there is a token that lives a while yet."""
        return time.monotonic() < self._until

    def request(self, grant: Grant, traceparent: str) -> Request:
        """Return the request for a token.

        Raises:
            UsageError: there are no credentials.

        """
        if self._credentials is None:
            message = (
                f"{self._journey} needs a token: name a folder with the files client-id and "
                "client-secret with --credentials"
            )
            raise UsageError(message)
        headers = {
            "User-Agent": USER_AGENT,
            "traceparent": traceparent,
            "Authorization": self._credentials.basic(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        form = {"grant_type": "client_credentials", "scope": " ".join(self._scopes)}
        return Request("POST", grant.token_path, headers, urlencode(form).encode())

    def accept(self, answer: Answer) -> None:
        """Keep the token of an answer.

        Raises:
            StepError: with the reason auth, http_status or schema.

        """
        if answer.status != OK:
            reason: Reason = "auth" if answer.status in REFUSED else "http_status"
            raise StepError(reason, f"the token was answered with {answer.status}")
        try:
            document = json.loads(answer.body)
            self.token = document["access_token"].encode("ascii").decode()
            self._until = time.monotonic() + max(float(document["expires_in"]) - MARGIN, 1.0)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise StepError("schema", "the answer holds no token") from error
