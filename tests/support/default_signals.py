"""A pytest plugin that lets the commands of tests end by Ctrl-C.

A shell lets its background jobs ignore SIGINT, and the processes of a test would inherit that.
"""

import signal


def pytest_configure() -> None:
    """Stop ignoring SIGINT."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
