"""Kubeconfigs of tests, written as JSON, which is valid YAML."""

import json
from pathlib import Path
from typing import Any

from tests.support.synthetic.operator_harness import NAMESPACE


def write_config(file: Path, current: str, contexts: dict[str, str], **user: Any) -> str:
    """Write a kubeconfig with the URL of each context, and return its path."""
    document = {
        "current-context": current,
        "contexts": [
            {"name": n, "context": {"cluster": n, "user": "u", "namespace": NAMESPACE}}
            for n in contexts
        ],
        "clusters": [{"name": n, "cluster": {"server": url}} for n, url in contexts.items()],
        "users": [{"name": "u", "user": user}],
    }
    file.write_text(json.dumps(document))
    return str(file)
