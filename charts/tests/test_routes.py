"""Routes of the ingress, and allowed calls between the services."""

from devstack import service_catalog
from devstack.service_catalog import SERVICES
from scripts.charts.rendering import of_kind, render, standalone_options


def test_routes_are_the_first_path_segments_of_the_contracts(helm: str) -> None:
    (ingress,) = of_kind(render(helm, "cadastro"), "Ingress").values()
    routes = {
        path["path"]: path["backend"]["service"]["name"]
        for path in ingress["spec"]["rules"][0]["http"]["paths"]
    }
    contract_routes = service_catalog.routes()
    assert routes == {
        path: f"try-{name}" for name, paths in contract_routes.items() for path in paths
    }


def test_peers_can_be_in_another_release(helm: str) -> None:
    url = "peers.auth=https://sso.example,peers.inventory=http://stock.example:81"
    objects = render(helm, "clients", *standalone_options("clients"), "--set", url)
    (container,) = of_kind(objects, "Deployment")["try-clients"]["spec"]["template"]["spec"][
        "containers"
    ]
    env = {item["name"]: item.get("value") for item in container["env"]}
    assert env["JWKS_URL"] == "https://sso.example/users/jwks.json"
    assert env["TOKEN_URL"] == "https://sso.example/users/token"
    assert env["INVENTORY_URL"] == "http://stock.example:81"
    egress = of_kind(objects, "NetworkPolicy")["try-clients-egress"]["spec"]["egress"]
    assert {"ports": [{"port": 443}]} in egress
    assert {"ports": [{"port": 81}]} in egress


def test_network_policies_allow_only_the_documented_calls(helm: str) -> None:
    policies = of_kind(render(helm, "cadastro"), "NetworkPolicy")
    called = {
        service: {
            target["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
            for rule in policies[f"try-{service}-egress"]["spec"]["egress"]
            for target in rule.get("to", [])
        }
        for service in SERVICES
    }
    assert called == {
        "auth": {"postgresql"},
        "clients": {"auth", "inventory", "postgresql"},
        "products": {"auth", "inventory", "postgresql"},
        "inventory": {"auth", "clients", "products", "postgresql"},
    }
