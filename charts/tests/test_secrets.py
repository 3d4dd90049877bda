"""Generated Secrets, and the Secrets that each pod mounts."""

import re

from devstack.service_catalog import SERVICES
from scripts.charts.rendering import CHARTS, of_kind, pod_specs, render


def test_each_service_mounts_only_its_own_secret(helm: str) -> None:
    for service, deployment in of_kind(render(helm, "cadastro"), "Deployment").items():
        pod = deployment["spec"]["template"]["spec"]
        for volume in pod["volumes"]:
            secret = volume.get("secret", {})
            if secret.get("secretName") == "try-oauth-clients" and service != "try-auth":
                name = service.removeprefix("try-").removesuffix("-relay")
                assert [item["key"] for item in secret["items"]] == [name]


def test_sweep_gets_no_secret_but_the_database_url(helm: str) -> None:
    jobs = of_kind(render(helm, "cadastro"), "CronJob")
    sweeps = {f"try-{service}-sweep" for service in SERVICES}
    assert jobs.keys() == sweeps | {"try-inventory-reconcile"}
    for name, pod in pod_specs(list(jobs.values())):
        (container,) = pod["containers"]
        if name.endswith("sweep"):
            service = name.rpartition("/try-")[2].removesuffix("-sweep")
            assert container["command"][:3] == ["python", "-m", f"{service}.purge"]
            assert [item["name"] for item in container["env"]] == ["DATABASE_URL"]
            assert "volumes" not in pod
        else:
            assert container["command"][:3] == ["python", "-m", "inventory.reconcile"]
        assert container["command"][3:] == ["--wait", "30"]  # policies admit a new pod late
    for job in jobs.values():
        assert job["spec"]["concurrencyPolicy"] == "Forbid"


def test_secrets_are_random_and_not_in_the_values(helm: str) -> None:
    first, second = (of_kind(render(helm, "cadastro"), "Secret") for _ in range(2))
    assert first.keys() == second.keys()
    for name, secret in first.items():
        assert secret["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
        assert secret.get("data", secret.get("stringData")) != second[name].get(
            "data", second[name].get("stringData")
        )
    text = "".join(
        (CHARTS / chart / "values.yaml").read_text() for chart in ("cadastro", *SERVICES)
    )
    assert not re.search(r"(?i)(password|token):\s*\S", text)


def test_helm_test_uses_only_the_monitors_secret(helm: str) -> None:
    assert not of_kind(render(helm, "cadastro"), "Pod")  # without a URL there is no test pod
    settings = "ingress.host=x.example,ingress.tlsSecret=x,auth.oauthClients.existingSecret=mine"
    (pod,) = of_kind(render(helm, "cadastro", "--set", settings), "Pod").values()
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    (container,) = pod["spec"]["containers"]
    assert container["args"][:4] == ["probe", "inventory-purchase", "--url", "https://x.example"]
    (secret,) = [volume["secret"] for volume in pod["spec"]["volumes"] if "secret" in volume]
    assert secret["secretName"] == "mine"
    assert [item["key"] for item in secret["items"]] == ["synthetic"]


def test_production_example_creates_no_secret_and_no_database(helm: str) -> None:
    objects = render(helm, "cadastro", "--values", str(CHARTS / "examples" / "production.yaml"))
    assert not of_kind(objects, "Secret")
    assert not of_kind(objects, "PersistentVolumeClaim")
    assert not of_kind(objects, "StatefulSet")
    assert "replicas" not in of_kind(objects, "Deployment")["try-clients"]["spec"]
    assert of_kind(objects, "HorizontalPodAutoscaler").keys() == {"try-clients"}
