"""Binding of a Secret to the hosts that may receive its credentials.

Creating a monitor needs no access to Secrets, and the monitor chooses the server that its probe
logs in to. The owner of the Secret therefore lists the hosts in an annotation. The operator
rejects other targets, and the probe other token endpoints of a custom contract.
"""

from urllib.parse import urlsplit

from synthetic.operator.api_client import ApiClient
from synthetic.operator.resources import GROUP, SECRETS
from synthetic.operator.spec import Spec, SpecError

HOSTS_ANNOTATION = f"{GROUP}/hosts"
ANY_HOST = "*"


async def credential_hosts(api: ApiClient, namespace: str, spec: Spec, url: str) -> tuple[str, ...]:
    """Return the hosts that may receive the monitor's credentials; none without a Secret.

    Raises:
        SpecError: the Secret does not allow the host of the target.

    """
    if not spec.credentials:
        return ()
    secret = await api.get_metadata(SECRETS, namespace, spec.credentials)
    if secret is None:
        return ()  # the pod waits for the Secret, and is created again with its hosts
    annotations = secret["metadata"].get("annotations") or {}
    allowed = _parse(annotations.get(HOSTS_ANNOTATION, ""))
    host = (urlsplit(url).hostname or "").lower()
    if spec.target.binding in allowed:
        allowed.append(host)
    if host not in allowed and ANY_HOST not in allowed:
        fix = ",".join([*allowed, host])
        raise SpecError(
            "SecretNotBound",
            f"The Secret {spec.credentials} does not allow the host {host}. Its owner may run: "
            f"kubectl annotate secret {spec.credentials} --overwrite {HOSTS_ANNOTATION}={fix}",
        )
    return tuple(sorted({entry for entry in allowed if "/" not in entry}))


def _parse(text: str) -> list[str]:
    """Return the entries: hosts, objects like ``ingress/NAME``, or ``*`` for any host."""
    return [entry.strip().lower() for entry in text.split(",") if entry.strip()]
