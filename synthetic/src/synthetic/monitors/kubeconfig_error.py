"""Error of a kubeconfig, and the check of its texts."""

from typing import Any

import kopf


class KubeconfigError(kopf.LoginError):
    """A kubeconfig that cannot be used; the message has the cause and the remedy."""


def as_text(value: Any, name: str) -> str:  # noqa: ANN401 - any YAML
    """Return a text, which may be empty.

    Raises:
        TypeError: the value has another type; the message has the name.

    """
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value or ""
