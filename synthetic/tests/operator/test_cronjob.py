"""Building CronJobs and Jobs from specs."""

import argparse
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import kubernetes_validate
import pytest

from synthetic.operator.cronjob import UID_LABEL, build_cron_job, build_job, matches
from synthetic.operator.probe_pod import ProbeImage
from synthetic.operator.spec import Spec, stable_offset
from synthetic.probe.command import add_arguments
from tests.support.synthetic.kubernetes_objects import monitor

IMAGE = ProbeImage("r.example/synthetic:1", pull_secrets=("pull",), labels={"a": "b"})
NOW = datetime(2026, 1, 31, 10, 3, tzinfo=UTC)

POD = {
    "labels": {"team": "shop", UID_LABEL: "forged"},
    "annotations": {"sidecar.istio.io/inject": "false"},
    "nodeSelector": {"pool": "monitors"},
    "tolerations": [{"key": "pool", "operator": "Equal", "value": "monitors"}],
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "arch", "operator": "Exists"}]}]
            }
        }
    },
    "priorityClassName": "monitoring",
    "imagePullSecrets": [{"name": "registry"}],
}
VARIANTS: list[dict[str, Any]] = [
    {},
    {"schedule": "0 3 * * 1-5", "timeZone": "America/Sao_Paulo"},
    {"credentialsSecretRef": {"name": "login"}},
    {"journeyFrom": {"configMapKeyRef": {"name": "mine", "key": "a.yaml"}}, "journey": "mine"},
    {
        "target": {
            "url": "https://shop.example",
            "caFrom": {"configMapKeyRef": {"name": "mine", "key": "ca.crt"}},
        }
    },
    {"resources": {"limits": {"memory": "1Gi"}}, "suspend": True, "concurrencyPolicy": "Replace"},
    {"pod": POD},
    {"inputs": {"instance": "shop/cadastro/clients"}},
    {"inputsFrom": [{"secretRef": {"name": "a"}}, {"secretRef": {"name": "b"}}]},
    {
        "proxyFrom": {"secretKeyRef": {"name": "a", "key": "b"}},
        "target": {"url": "https://a.example", "clientCertificateSecretRef": {"name": "tls"}},
    },
]

TRANSPORT: dict[str, Any] = {
    "followRedirects": 20,
    "proxy": "http://proxy.example:3128",
    "servers": {"a": "http://a.example", "b": "https://b.example/v1"},
}


def build(**spec: Any) -> dict[str, Any]:
    """Return the CronJob of a monitor."""
    wanted = monitor(**spec)
    made: dict[str, Any] = build_cron_job(
        wanted, Spec.from_monitor(wanted), "http://shop.example", IMAGE
    )
    return made


@pytest.mark.parametrize("spec", VARIANTS)
def test_cron_jobs_and_jobs_are_valid_by_kubernetes_schemas(spec: dict[str, Any]) -> None:
    made = build(**spec)
    kubernetes_validate.validate(made, "1.34", strict=True)
    kubernetes_validate.validate(build_job(monitor(), made, "annotation x"), "1.34", strict=True)


@pytest.mark.parametrize("spec", [*VARIANTS, TRANSPORT])
def test_the_probe_takes_the_arguments(spec: dict[str, Any]) -> None:
    pod = build(**spec)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_arguments(parser)
    options = parser.parse_args(pod["containers"][0]["args"][1:])
    assert options.journeys == [monitor(**spec)["spec"]["journey"]]
    assert options.url == "http://shop.example"
    assert options.follow_redirects == spec.get("followRedirects", 0)
    assert options.server == [f"{name}={url}" for name, url in spec.get("servers", {}).items()]


def test_inputs_are_arguments_of_the_probe() -> None:
    job = build(inputs={"instance": "a/b/c", "-x": "--url=y", "empty": ""})["spec"]["jobTemplate"]
    arguments = job["spec"]["template"]["spec"]["containers"][0]["args"]
    assert arguments[-3:] == ["--input=-x=--url=y", "--input=empty=", "--input=instance=a/b/c"]


def test_servers_of_sources_are_arguments_of_the_probe() -> None:
    job = build(servers={"b": "http://b.example", "a": "http://a.example"})["spec"]["jobTemplate"]
    arguments = job["spec"]["template"]["spec"]["containers"][0]["args"]
    assert arguments[-2:] == ["--server=a=http://a.example", "--server=b=http://b.example"]


def test_secret_inputs_are_mounted_in_the_order_of_the_spec() -> None:
    sources = [{"secretRef": {"name": "first"}}, {"secretRef": {"name": "second"}}]
    pod = build(inputsFrom=sources)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    secrets = {each["name"]: each["secret"] for each in pod["volumes"] if "secret" in each}
    (container,) = pod["containers"]
    names = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    folders = [arg.removeprefix("--inputs-from=") for arg in container["args"][-2:]]
    found = [secrets[names[folder]]["secretName"] for folder in folders]
    assert found == ["first", "second"]


@pytest.mark.parametrize(
    ("spec", "options"),
    [
        pytest.param({}, [], id="none"),
        pytest.param({"followRedirects": 0}, [], id="no redirects"),
        pytest.param({"followRedirects": 3}, ["--follow-redirects", "3"], id="redirects"),
        pytest.param(
            {"proxy": "http://proxy.example:3128"},
            ["--proxy", "http://proxy.example:3128"],
            id="proxy",
        ),
    ],
)
def test_the_transport_is_an_option_of_the_probe(spec: dict[str, Any], options: list[str]) -> None:
    pod = build(**spec)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    arguments = pod["containers"][0]["args"]
    assert arguments[arguments.index("/dev/termination-log") + 1 :] == options


def test_the_secrets_of_the_transport_are_mounted_by_their_keys() -> None:
    target = {"url": "https://a.example", "clientCertificateSecretRef": {"name": "edge"}}
    spec = {"proxyFrom": {"secretKeyRef": {"name": "egress", "key": "PROXY"}}, "target": target}
    pod = build(**spec)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    paths = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    files = {
        f"{paths[each['name']]}/{item['path']}": (each["secret"]["secretName"], item["key"])
        for each in pod["volumes"]
        if "secret" in each
        for item in each["secret"]["items"]
    }
    arguments = container["args"]
    options = ("--client-certificate", "--client-key", "--proxy-file")
    found = [files[arguments[arguments.index(option) + 1]] for option in options]
    assert found == [("edge", "tls.crt"), ("edge", "tls.key"), ("egress", "PROXY")]


def test_deadlines_nest() -> None:
    job = build(timeoutSeconds=100, cleanupSeconds=20)["spec"]["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    assert 120 < pod["activeDeadlineSeconds"] < job["activeDeadlineSeconds"]
    assert pod["terminationGracePeriodSeconds"] > 20
    arguments = pod["containers"][0]["args"]
    assert arguments[arguments.index("--timeout") + 1] == "100"


def test_the_pod_is_restricted_and_has_no_token() -> None:
    pod = build()["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    (container,) = pod["containers"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_a_cluster_may_assign_the_user_of_the_pod() -> None:
    wanted, image = monitor(), replace(IMAGE, assigned_user=True)
    made = build_cron_job(wanted, Spec.from_monitor(wanted), "http://shop.example", image)
    context = made["spec"]["jobTemplate"]["spec"]["template"]["spec"]["securityContext"]
    assert context == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def test_a_monitor_chooses_scheduling_and_metadata_of_its_pods_and_no_more() -> None:
    template = build(pod=POD)["spec"]["jobTemplate"]["spec"]["template"]
    plain = build()["spec"]["jobTemplate"]["spec"]["template"]
    assert template["metadata"]["labels"] == {"team": "shop", **plain["metadata"]["labels"]}
    assert template["metadata"]["annotations"] == POD["annotations"]
    fields = ("nodeSelector", "tolerations", "affinity", "priorityClassName")
    assert {name: template["spec"].pop(name) for name in fields} == {n: POD[n] for n in fields}
    assert template["spec"].pop("imagePullSecrets")[-1] == {"name": "registry"}
    plain["spec"].pop("imagePullSecrets")
    assert template["spec"] == plain["spec"]


def test_a_probe_trusts_only_the_ca_of_its_monitor() -> None:
    source = {"configMapKeyRef": {"name": "mine", "key": "root.crt"}}
    target = {"url": "https://shop.example", "caFrom": source}
    pod = build(target=target)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (variable,) = container["env"]
    assert variable["name"] == "SSL_CERT_FILE"
    (volume,) = [each for each in pod["volumes"] if "configMap" in each]
    assert volume["configMap"]["name"] == "mine"
    paths = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert variable["value"] == f"{paths[volume['name']]}/root.crt"


def test_names_have_a_valid_length_and_depend_on_the_uid() -> None:
    long = monitor("a" * 63)
    other = {**long, "metadata": {**long["metadata"], "uid": "another"}}
    names = [
        build_cron_job(each, Spec.from_monitor(each), "u", IMAGE)["metadata"]["name"]
        for each in (long, other)
    ]
    assert len(set(names)) == 2
    assert all(
        len(name) <= 52 and re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", name) for name in names
    )
    job = build_job(long, build(), "rollout x 1")
    assert len(job["metadata"]["name"]) <= 63


def test_the_same_cause_makes_the_same_job() -> None:
    made = build()
    jobs = [build_job(monitor(), made, cause)["metadata"]["name"] for cause in ("a", "a", "b")]
    assert jobs[0] == jobs[1] != jobs[2]


def test_distributes_intervals_over_the_minutes() -> None:
    offsets = {stable_offset(f"uid-{number}", 5) for number in range(200)}
    assert offsets == {0, 1, 2, 3, 4}
    assert re.fullmatch(r"[0-4]-59/5 \* \* \* \*", build()["spec"]["schedule"])
    assert build(interval="1m")["spec"]["schedule"] == "* * * * *"
    assert re.fullmatch(r"[0-9]{1,2} \* \* \* \*", build(interval="1h")["spec"]["schedule"])


def test_a_schedule_uses_its_time_zone() -> None:
    spec = Spec.from_monitor(monitor(schedule="30 9 * * *", timeZone="America/Sao_Paulo"))
    assert spec.schedule.after(NOW) == datetime(2026, 1, 31, 12, 30, tzinfo=UTC)


def test_detects_changes_by_other_clients() -> None:
    desired = build()
    live = {**build(), "status": {}}
    live["spec"]["jobTemplate"]["spec"]["template"]["spec"]["dnsPolicy"] = "ClusterFirst"
    assert matches(desired, live)  # a default of the API server
    live["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"].append({"name": "x"})
    assert not matches(desired, live)
