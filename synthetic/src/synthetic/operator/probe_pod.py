"""Build the pod of a probe from a monitor's spec."""

from dataclasses import dataclass, field

from synthetic.operator.probe_volumes import (
    CA_DIR,
    CERTIFICATE_DIR,
    CERTIFICATE_KEYS,
    CREDENTIALS_DIR,
    JOURNEY_DIR,
    PROXY_FILE,
    build_volumes,
    input_folders,
)
from synthetic.operator.resources import Object
from synthetic.operator.secret_binding import BoundHosts
from synthetic.operator.spec import ANYWHERE, NETWORK_WAIT_SECONDS, Location, Spec

CONTAINER_NAME = "probe"

SCHEDULING_FIELDS = ("affinity", "priorityClassName")

USER_FIELDS = ("runAsUser", "runAsGroup", "fsGroup")
DEFAULT_RESOURCES: Object = {
    "requests": {"cpu": "20m", "memory": "64Mi"},
    "limits": {"memory": "128Mi"},
}


@dataclass(frozen=True)
class ProbeImage:
    """The image of the probe, and how nodes pull it."""

    name: str
    pull_policy: str = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)  # of the pods, for network policies
    assigned_user: bool = False  # by the cluster, as on OpenShift, which rejects other users


def build_pod_spec(
    spec: Spec, url: str, image: ProbeImage, hosts: BoundHosts, location: Location = ANYWHERE
) -> Object:
    """Return the pod spec of a probe of ``url``; ``hosts`` may receive values of its Secrets."""
    volumes, mounts = build_volumes(spec)
    pull_secrets = [{"name": name} for name in image.pull_secrets]
    return {
        **_scheduling(spec, location),
        "restartPolicy": "Never",
        "activeDeadlineSeconds": spec.pod_deadline,
        "terminationGracePeriodSeconds": spec.cleanup + 5,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            **({} if image.assigned_user else dict.fromkeys(USER_FIELDS, 10001)),
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "imagePullSecrets": [*pull_secrets, *spec.pod.get("imagePullSecrets", [])],
        "containers": [
            {
                "name": CONTAINER_NAME,
                "image": image.name,
                "imagePullPolicy": image.pull_policy,
                "command": ["synthetic"],
                "args": _arguments(spec, url),
                "env": _environment(spec, hosts),
                "terminationMessagePath": "/dev/termination-log",
                "resources": spec.resources or DEFAULT_RESOURCES,
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": mounts,
            }
        ],
        "volumes": volumes,
    }


def _scheduling(spec: Spec, location: Location) -> Object:
    """Return where the pod may run: the location's node labels take precedence."""
    chosen: Object = {
        "nodeSelector": {**spec.pod.get("nodeSelector", {}), **location.node_selector},
        "tolerations": [*spec.pod.get("tolerations", []), *location.tolerations],
        **{name: spec.pod.get(name) for name in SCHEDULING_FIELDS},
    }
    return {name: value for name, value in chosen.items() if value}


def _arguments(spec: Spec, url: str) -> list[str]:
    arguments = [
        *("probe", spec.journey),
        *("--url", url),
        *("--timeout", str(spec.timeout)),
        *("--cleanup", str(spec.cleanup)),
        *("--retries", str(spec.retries)),
        *("--network-wait", str(NETWORK_WAIT_SECONDS)),
        *("--output", "json"),
        *("--termination-log", "/dev/termination-log"),
    ]
    if spec.credentials:
        arguments += ["--credentials", CREDENTIALS_DIR]
    arguments += [f"--inputs-from={folder}" for folder in input_folders(spec)]
    if spec.certificate:
        files = [f"{CERTIFICATE_DIR}/{key}" for key in CERTIFICATE_KEYS]
        arguments += ["--client-certificate", files[0], "--client-key", files[1]]
    if spec.proxy_from:
        arguments += ["--proxy-file", PROXY_FILE]
    elif spec.proxy:
        arguments += ["--proxy", spec.proxy]
    if spec.redirects:
        arguments += ["--follow-redirects", str(spec.redirects)]
    # one argument each: a name may start with a dash
    arguments += [f"--server={name}={url}" for name, url in sorted(spec.servers.items())]
    arguments += [f"--input={name}={value}" for name, value in sorted(spec.inputs.items())]
    if spec.journey_from:
        arguments += ["--file", f"{JOURNEY_DIR}/{spec.journey_from.key}"]
    return arguments


def _environment(spec: Spec, hosts: BoundHosts) -> list[Object]:
    variables = {}
    if spec.ca_from is not None:
        variables["SSL_CERT_FILE"] = f"{CA_DIR}/{spec.ca_from.key}"
    if spec.credentials:
        variables["CREDENTIALS_HOSTS"] = ",".join(hosts.credentials)
    if spec.inputs_from:
        variables["INPUTS_HOSTS"] = ",".join(hosts.inputs)
    if spec.certificate:
        variables["CERTIFICATE_HOSTS"] = ",".join(hosts.certificate)
    return [{"name": name, "value": value} for name, value in variables.items()]
