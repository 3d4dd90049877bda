"""A pytest plugin that trusts no public authorities in the process of the tests.

Tests call servers of their own. Each TLS context loads the authorities of the machine, which takes
20 ms of CPU; httpx makes one for each client and for each `httpx.get`, also without TLS.
"""

import os
import ssl
from typing import Any

import certifi

PUBLIC = (os.environ.get("SSL_CERT_FILE"), certifi.where())
_load_default = ssl.SSLContext.load_default_certs
_load = ssl.SSLContext.load_verify_locations


def _load_default_of_tests(context: ssl.SSLContext, *purpose: ssl.Purpose) -> None:
    """Load the authorities that a test has set, and no others."""
    if os.environ.get("SSL_CERT_FILE") not in PUBLIC:
        _load_default(context, *purpose)


def _load_of_tests(context: ssl.SSLContext, cafile: Any = None, *more: Any, **named: Any) -> None:
    """Load authorities from other files than those of the machine."""
    if cafile is None or cafile not in PUBLIC:
        _load(context, cafile, *more, **named)


def pytest_configure() -> None:
    """Replace the methods that load authorities."""
    setattr(ssl.SSLContext, "load_default_certs", _load_default_of_tests)  # noqa: B010 - mypy rejects an assignment
    setattr(ssl.SSLContext, "load_verify_locations", _load_of_tests)  # noqa: B010 - as above
