"""Secrets and ConfigMaps that a monitor's spec refers to."""

from typing import NamedTuple

from synthetic.operator.spec import ObjectKey, Spec

SECRET, CONFIG_MAP = "secret", "configmap"  # as in messages of Kubernetes
PROXY, CREDENTIALS = "spec.proxyFrom", "spec.credentialsSecretRef"
CERTIFICATE, INPUTS = "spec.target.clientCertificateSecretRef", "spec.inputsFrom"
KEY_PROBLEMS = {SECRET: "non-existent secret key", CONFIG_MAP: "non-existent config key"}


class Reference(NamedTuple):
    """A reference, by the field that has it, such as ``spec.proxyFrom``."""

    field: str
    kind: str
    name: str
    key: str = ""

    def is_missing(self, problem: str) -> bool:
        """Return whether a message of Kubernetes says that the object or its key does not exist."""
        if f'{self.kind} "{self.name}" not found' in problem:
            return True
        return bool(self.key) and f"{KEY_PROBLEMS[self.kind]}: {self.key}" in problem


def references(spec: Spec) -> list[Reference]:
    """Return the references of a spec."""
    secrets = {
        PROXY: spec.proxy_from,
        CERTIFICATE: ObjectKey(spec.certificate, ""),
        CREDENTIALS: ObjectKey(spec.credentials, ""),
        **{f"{INPUTS}[{at}]": ObjectKey(name, "") for at, name in enumerate(spec.inputs_from)},
    }
    config_maps = {"spec.target.caFrom": spec.ca_from, "spec.journeyFrom": spec.journey_from}
    return [
        Reference(field, kind, found.name, found.key)
        for kind, sources in ((SECRET, secrets), (CONFIG_MAP, config_maps))
        for field, found in sources.items()
        if found and found.name
    ]


def with_fix(spec: Spec, problem: str) -> str:
    """Return the message of Kubernetes about a missing object with the field that names it."""
    fields = [each.field for each in references(spec) if each.is_missing(problem)]
    return f"{problem}: create it, or correct {' and '.join(fields)}" if fields else problem
