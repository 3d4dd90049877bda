"""Volumes of a probe's pod: Secrets and ConfigMaps of a monitor's spec."""

from typing import NamedTuple

from synthetic.operator.resources import Object
from synthetic.operator.spec import Spec

CREDENTIALS_DIR, INPUTS_DIR = "/run/secrets/synthetic", "/run/secrets/inputs"
CERTIFICATE_DIR, PROXY_DIR = "/run/secrets/certificate", "/run/secrets/proxy"
JOURNEY_DIR, CA_DIR = "/journey", "/authorities"
CERTIFICATE_KEYS = ("tls.crt", "tls.key")  # of a Secret of the type kubernetes.io/tls
PROXY_FILE = f"{PROXY_DIR}/url"


class _Secret(NamedTuple):
    """A Secret as a volume; without ``items`` all its keys are files."""

    volume: str
    name: str
    path: str
    items: tuple[tuple[str, str], ...] = ()  # key and file


def input_folders(spec: Spec) -> list[str]:
    """Return the folders of the Secrets with inputs, in the order of the spec."""
    return [f"{INPUTS_DIR}/{place}" for place in range(len(spec.inputs_from))]


def build_volumes(spec: Spec) -> tuple[list[Object], list[Object]]:
    """Return the volumes of the pod, and the mounts of its container."""
    volumes: list[Object] = [{"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}}]
    mounts: list[Object] = [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108 - a volume of the pod
    for secret in _secrets(spec):
        source: Object = {"secretName": secret.name, "defaultMode": 0o440}
        if secret.items:
            source["items"] = [{"key": key, "path": file} for key, file in secret.items]
        volumes.append({"name": secret.volume, "secret": source})
        mounts.append({"name": secret.volume, "mountPath": secret.path, "readOnly": True})
    for name, config, path in (
        ("journey", spec.journey_from, JOURNEY_DIR),
        ("authorities", spec.ca_from, CA_DIR),
    ):
        if config:
            volumes.append({"name": name, "configMap": {"name": config.name}})
            mounts.append({"name": name, "mountPath": path, "readOnly": True})
    return volumes, mounts


def _secrets(spec: Spec) -> list[_Secret]:
    found = []
    if spec.credentials:
        found.append(_Secret("credentials", spec.credentials, CREDENTIALS_DIR))
    for place, (name, path) in enumerate(zip(spec.inputs_from, input_folders(spec), strict=True)):
        found.append(_Secret(f"inputs-{place}", name, path))
    if spec.certificate:
        pairs = tuple((key, key) for key in CERTIFICATE_KEYS)
        found.append(_Secret("certificate", spec.certificate, CERTIFICATE_DIR, pairs))
    if spec.proxy_from:
        url = ((spec.proxy_from.key, PROXY_FILE.rpartition("/")[2]),)
        found.append(_Secret("proxy", spec.proxy_from.name, PROXY_DIR, url))
    return found
