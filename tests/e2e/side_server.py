"""A server beside the release that its services use as PostgreSQL: a pooler, or a replica."""

import json
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from tests.support.cluster import RELEASE, Cluster

SERVER = f"{RELEASE}-postgresql"


@dataclass(frozen=True)
class SideServer:
    """A Deployment with a Service, and a Secret of its URL for each service; all have a label."""

    name: str
    port: int

    @property
    def admission(self) -> tuple[str, str]:
        """The helm options with which the bundled PostgreSQL admits its pods."""
        peers = json.dumps([{"podSelector": {"matchLabels": {"app": self.name}}}])
        return ("--set-json", f"postgresql.networkPolicy.ingressFrom={peers}")

    def apply(
        self,
        cluster: Cluster,
        pod: Mapping[str, Any],
        files: Mapping[str, str],
        services: Iterable[str],
        replicas: int = 1,
    ) -> None:
        """Let PostgreSQL admit the server, and start it; ``files`` are those of its own Secret."""
        template = {"metadata": {"labels": {"app": self.name}}, "spec": pod["spec"]}
        selector = {"matchLabels": {"app": self.name}}
        spec = {"replicas": replicas, "selector": selector, "template": template}
        items = [
            self._object("Secret", stringData=dict(files)),
            *(
                self._object("Secret", name=f"{service}-{self.name}", stringData=self._url(url))
                for service, url in database_urls(cluster, services).items()
            ),
            self._object("Deployment", "apps/v1", spec=spec),
            self._object(
                "Service", spec={"selector": {"app": self.name}, "ports": [{"port": self.port}]}
            ),
        ]
        cluster.install("upgrade", options=self.admission)
        cluster.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        cluster.wait_for_rollouts(f"deployment/{self.name}")

    def remove(self, cluster: Cluster) -> None:
        """Delete the server, and make PostgreSQL refuse it."""
        cluster.kubectl("delete", "deployment,service,secret", "-l", f"app={self.name}")
        cluster.install("upgrade")

    def _url(self, url: SplitResult) -> dict[str, str]:
        account = url.netloc.rpartition("@")[0]
        return {"DATABASE_URL": url._replace(netloc=f"{account}@{self.name}:{self.port}").geturl()}

    def _object(
        self, kind: str, version: str = "v1", name: str = "", **fields: Any
    ) -> dict[str, Any]:
        metadata = {"name": name or self.name, "labels": {"app": self.name}}
        return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def database_urls(cluster: Cluster, services: Iterable[str]) -> dict[str, SplitResult]:
    """Return the URL of each service's database."""
    found = cluster.secrets()
    encoded = {each: found[f"{RELEASE}-{each}-database"]["DATABASE_URL"] for each in services}
    return {service: urlsplit(b64decode(url).decode()) for service, url in encoded.items()}
