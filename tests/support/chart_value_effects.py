"""A setting of every chart value, and the text that it adds to the manifests."""

import json
from typing import Any

from devstack.service_catalog import SERVICES
from scripts.charts.rendering import standalone_options

# for each value: a setting, and the text that it adds to the manifests (or with "!" removes)
POD_VALUES: dict[str, tuple[Any, str]] = {
    "image.registry": ("r.example", "image: r.example/cadastro/"),
    "image.repository": ("other", "image: other:1.0.0"),
    "image.tag": ("v9", ":v9"),
    "image.pullPolicy": ("Always", "imagePullPolicy: Always"),
    "image.pullSecrets": ([{"name": "pull-key"}], "name: pull-key"),
    "resources": ({"limits": {"memory": "1Gi"}}, "memory: 1Gi"),
}
SCHEDULING_VALUES: dict[str, tuple[Any, str]] = {
    "nodeSelector": ({"disk": "ssd"}, "disk: ssd"),
    "tolerations": ([{"key": "spot", "operator": "Exists"}], "key: spot"),
    "affinity": ({"nodeAffinity": {"requiredDuring": {}}}, "requiredDuring: {}"),
    "priorityClassName": ("high", "priorityClassName: high"),
    "podAnnotations": ({"team": "shop"}, "team: shop"),
    "podLabels": ({"cost-centre": "shop"}, "cost-centre: shop"),
    "extraEnv": ([{"name": "TEAM", "value": "shop"}], "name: TEAM\n"),
}
POD_VALUES |= SCHEDULING_VALUES
IP_FAMILIES = (["IPv6"], "ipFamilyPolicy: SingleStack")
MONITORED_VALUES: dict[str, tuple[Any, str]] = {
    "workers": (3, 'name: WORKERS\n              value: "3"'),
    "metrics.labels": ({"release": "prom"}, "    release: prom"),
    "networkPolicy.ingressFrom": ([{"ipBlock": {"cidr": "10.0.0.0/8"}}], "cidr: 10.0.0.0/8"),
}
SERVICE_VALUES: dict[str, tuple[Any, str]] = {
    **POD_VALUES,
    **MONITORED_VALUES,
    "ipFamilies": IP_FAMILIES,
    "networkPolicy.databaseTo": ([{"ipBlock": {"cidr": "10.2.0.0/16"}}], "cidr: 10.2.0.0/16"),
    "networkPolicy.databasePorts": ([7435], "port: 7435"),
    "replicas": (7, "replicas: 7"),
    "threads": (9, 'name: THREADS\n              value: "9"'),
    "logLevel": ("DEBUG", 'value: "DEBUG"'),
    "tokenLeeway": (0, 'name: JWT_LEEWAY\n              value: "0"'),
    "database.existingSecret": ("mine", "name: mine"),
    "database.port": (7432, "port: 7432"),
    "database.poolerSecret": ("pooler", "name: pooler"),
    "database.poolerPort": (7433, "port: 7433"),
    "oauthClients.existingSecret": ("mine", "secretName: mine"),
    "sweep.schedule": ("0 4 * * *", 'schedule: "0 4 * * *"'),
    "drainSeconds": (9, "seconds: 9"),
    "keepAliveSeconds": (620, 'name: KEEP_ALIVE\n              value: "620"'),
    "autoscaling.enabled": (True, "kind: HorizontalPodAutoscaler"),
    "autoscaling.minReplicas": (3, "minReplicas: 3"),
    "autoscaling.maxReplicas": (5, "maxReplicas: 5"),
    "autoscaling.cpuPercent": (55, "averageUtilization: 55"),
    "metrics.prometheusOperator": (True, "kind: PodMonitor"),
    "metrics.runbooks": (
        "https://r.example/books/",
        "runbook_url: https://r.example/books/ServiceHighLatency.md",
    ),
    "metrics.dashboard": (True, 'grafana_dashboard: "1"'),
    "metrics.annotations": (True, 'prometheus.io/port: "9000"'),
    "metrics.ingressFrom": ([{"ipBlock": {"cidr": "10.1.0.0/16"}}], "cidr: 10.1.0.0/16"),
    "tracing.endpoint": ("http://otel.example:4318", "port: 4318"),
    "tracing.ratio": (0.25, 'value: "0.25"'),
}


def peers(*names: str) -> dict[str, tuple[Any, str]]:
    """Return the effect of each peer URL."""
    return {f"peers.{name}": ("https://x.example:444/", "https://x.example:444") for name in names}


REPLICA_VALUES: dict[str, tuple[Any, str]] = {
    "database.replicaSecret": ("replica", "name: replica"),
    "database.replicaPort": (7434, "port: 7434"),
}
OWN_VALUES: dict[str, dict[str, tuple[Any, str]]] = {
    "auth": {
        "openRegistration": (False, 'value: "false"'),
        "tokenTtl": (77, 'value: "77"'),
        "trustedProxies": (2, 'name: TRUSTED_PROXIES\n              value: "2"'),
        "signingKeys.existingSecret": ("mine", "secretName: mine"),
    },
    "clients": {
        **REPLICA_VALUES,
        **peers("auth", "inventory"),
        "validation": ("format", 'value: "format"'),
        "relay": (False, "!kind: Deployment\nmetadata:\n  name: try-clients-relay"),
    },
    "products": {
        **REPLICA_VALUES,
        **peers("auth", "inventory"),
        "relay": (False, "!kind: Deployment\nmetadata:\n  name: try-products-relay"),
    },
    "inventory": {
        **REPLICA_VALUES,
        **peers("auth", "clients", "products"),
        "relay": (True, "try-inventory-relay"),
        "reconcile.schedule": ("0 4 * * *", 'schedule: "0 4 * * *"'),
    },
}
UMBRELLA_VALUES: dict[str, tuple[Any, str]] = {
    "global.image.registry": ("r.example", "image: r.example/cadastro/clients"),
    "global.image.tag": ("v9", "cadastro/clients:v9"),
    "global.imagePullSecrets": (["pull-key"], "name: pull-key"),
    "global.ipFamilies": IP_FAMILIES,
    "global.postgresql.enabled": (False, "!kind: StatefulSet"),
    "postgresql.image": ("r.example/postgres:18", "image: r.example/postgres:18"),
    "postgresql.storage": ("9Gi", "storage: 9Gi"),
    "postgresql.maxConnections": (444, "max_connections=444"),
    "postgresql.storageClassName": ("fast", "storageClassName: fast"),
    "postgresql.networkPolicy.ingressFrom": (
        [{"ipBlock": {"cidr": "10.5.0.0/16"}}],
        "cidr: 10.5.0.0/16",
    ),
    "postgresql.resources": ({"limits": {"memory": "3Gi"}}, "memory: 3Gi"),
    "ingress.enabled": (False, "!kind: Ingress\n"),
    "ingress.className": ("nginx", "ingressClassName: nginx"),
    "ingress.host": ("x.example", 'host: "x.example"'),
    "ingress.annotations": ({"a": "b"}, "annotations:\n    a: b"),
    "ingress.tlsSecret": ("x", "secretName: x"),
    "global.gateway.enabled": (True, "kind: HTTPRoute"),
    "global.gateway.parentRefs": ([{"name": "edge"}], "- name: edge"),
    "test.url": ("http://x.example", '--url, "http://x.example"'),
    "test.image.registry": ("r.example", "image: r.example/cadastro/synthetic"),
    "test.image.repository": ("other", "image: other:1.0.0"),
    "test.image.pullSecrets": ([{"name": "pull-key"}], "name: pull-key"),
    **{f"test.{name}": effect for name, effect in SCHEDULING_VALUES.items()},
    **{f"postgresql.{name}": effect for name, effect in SCHEDULING_VALUES.items()},
    "test.image.tag": ("v9", "image: cadastro/synthetic:v9"),
    "synthetic": ({"enabled": False}, "!command: [synthetic, operator]"),
    "auth": ({"tokenTtl": 77}, 'value: "77"'),
    "clients": ({"replicas": 7}, "replicas: 7"),
    "products": ({"replicas": 7}, "replicas: 7"),
    "inventory": ({"replicas": 7}, "replicas: 7"),
}
BACKUP_VALUES: dict[str, tuple[Any, str]] = {
    "enabled": (True, "name: try-backup\n"),
    "schedule": ("0 5 * * *", 'schedule: "0 5 * * *"'),
    "timeZone": ("America/Sao_Paulo", "timeZone: America/Sao_Paulo"),
    "keep": (3, "- --keep=3"),
    "deadlineSeconds": (77, "activeDeadlineSeconds: 77\n"),
    "existingClaim": ("mine", "claimName: mine"),
    "s3.bucket": ("mine", "- s3://mine/"),
    "s3.prefix": ("shop/daily", "- s3://store/shop/daily\n"),
    "s3.endpoint": ("https://x.example:444", "- --endpoint=https://x.example:444"),
    "s3.region": ("sa-east-1", "- --region=sa-east-1"),
    "s3.existingSecret": ("mine", "name: mine\n                      key: AWS_ACCESS_KEY_ID"),
    "s3.caConfigMap": ("mine", "configMap:\n                name: mine"),
    "database.existingSecret": ("mine", "name: mine\n                      key: DATABASE_URL"),
    "database.port": (7432, "port: 7432"),
    "networkPolicy.databaseTo": ([{"ipBlock": {"cidr": "10.3.0.0/16"}}], "cidr: 10.3.0.0/16"),
    "networkPolicy.s3To": ([{"ipBlock": {"cidr": "10.4.0.0/16"}}], "cidr: 10.4.0.0/16"),
    "scratchSize": ("9Gi", "sizeLimit: 9Gi"),
    "metrics.prometheusOperator": (True, "alert: BackupOverdue"),
    "metrics.labels": ({"release": "prom"}, "    release: prom"),
    "metrics.runbooks": ("https://r.example/", "runbook_url: https://r.example/BackupOverdue.md"),
    "image.registry": ("r.example", "image: r.example/cadastro/backup"),
    "image.repository": ("other", "image: other:1.0.0"),
    "image.tag": ("v9", "image: cadastro/backup:v9"),
    "image.pullSecrets": ([{"name": "pull-key"}], "name: pull-key"),
    **SCHEDULING_VALUES,
    "resources": ({"limits": {"memory": "3Gi"}}, "memory: 3Gi"),
}
UMBRELLA_VALUES |= {f"backup.{name}": effect for name, effect in BACKUP_VALUES.items()}
SYNTHETIC_VALUES: dict[str, tuple[Any, str]] = {
    **POD_VALUES,
    **MONITORED_VALUES,
    "ipFamilies": IP_FAMILIES,
    "networkPolicy.apiServerPorts": ([7443], "port: 7443"),
    "networkPolicy.targetPorts": ([8088], "port: 8088"),
    "networkPolicy.notifyPorts": ([587], "port: 587"),
    "notify.networks": (["10.96.0.0/12"], 'value: "10.96.0.0/12"'),
    "crds.enabled": (False, "!kind: CustomResourceDefinition"),
    "watch.allNamespaces": (True, 'value: "*"'),
    "watch.maintenances": (False, "!kind: ClusterRoleBinding"),
    "logLevel": ("DEBUG", "value: DEBUG"),
    "resyncSeconds": (77, 'value: "77"'),
    "target.url": ("http://x.example", "url: http://x.example"),
    "target.ingress": ("front", "name: front"),
    "target.httpRoute": ("front", "name: front"),
    "watch.gatewayApi": (True, "resources: [httproutes, gateways]"),
    "target.checkInstance": (True, "instance: default/try/clients"),
    "credentials.existingSecret": ("mine", "name: mine"),
    "monitors": ({"mine": {"journey": "login", "interval": "30m"}}, "interval: 30m"),
    "metrics.prometheusOperator": (True, "kind: ServiceMonitor"),
    "metrics.dashboard.enabled": (True, 'grafana_dashboard: "1"'),
    "metrics.dashboard.labels": ({"board": "mine"}, "board: mine"),
    "metrics.runbooks": ("https://r.example/books/", "runbook_url: https://r.example/books/"),
    "metrics.certificateDays": (3, "< 3 * 86400"),
}
LOAD_VALUES: dict[str, tuple[Any, str]] = {
    **POD_VALUES,
    "ipFamilies": IP_FAMILIES,
    "url": ("http://x.example", "- http://x.example"),
    "shape": ("spike", "- spike"),
    "model": ("closed", "- closed"),
    "load": (30, '- --rate\n            - "30"'),
    "seconds": (600, '- --duration\n            - "600"'),
    "workers": (5, "parallelism: 5"),
    "credentials.existingSecret": ("mine", "secretName: mine"),
    "credentials.key": ("other", "key: other"),
    "results.existingClaim": ("mine", "claimName: mine"),
}
REJECTIONS = {  # values whose only effect is an error, with the test of the error
    "database.maxConnections": "test_install_fails_above_the_connection_limit",
    "global.generateSecrets": "test_invalid_or_missing_value_is_named_in_the_error",
    "ingress.checkHosts": "test_a_release_that_matches_the_hosts_of_another_is_rejected",
}
S3 = {"bucket": "store", "endpoint": "https://x.example", "existingSecret": "x"}
PREREQUISITES: dict[str, dict[str, Any]] = {  # other values that a value needs to have an effect
    "backup.": {"backup.enabled": True, **{f"backup.s3.{name}": S3[name] for name in S3}},
    "backup.existingClaim": {"backup.s3.bucket": ""},
    "backup.database.port": {"backup.database.existingSecret": "x"},
    "backup.networkPolicy.databaseTo": {"backup.database.existingSecret": "x"},
    "backup.metrics.": {"backup.metrics.prometheusOperator": True},
    "autoscaling.": {"autoscaling.enabled": True},
    "credentials.key": {"credentials.existingSecret": "x"},
    "metrics.dashboard.labels": {"metrics.dashboard.enabled": True},
    "database.poolerPort": {"database.poolerSecret": "pooler"},
    "database.replicaPort": {"database.replicaSecret": "replica"},
    "metrics.labels": {"metrics.prometheusOperator": True},
    "tracing.ratio": {"tracing.endpoint": "http://otel.example:4318"},
    "metrics.runbooks": {"metrics.prometheusOperator": True},
    "metrics.certificateDays": {"metrics.prometheusOperator": True},
    "ingress.tlsSecret": {"ingress.host": "x.example"},
    "test.image.": {"test.url": "http://x.example"},
    "global.postgresql.enabled": {f"{name}.database.existingSecret": "x" for name in SERVICES},
    "test.": {"test.url": "http://x.example"},
    "ingress.enabled": {"synthetic.target.url": "http://x.example"},
    "target.checkInstance": {"monitors.clients": {"journey": "clients-health", "interval": "1m"}},
    "networkPolicy.databaseTo": {"database.existingSecret": "x"},
    "global.gateway.": {
        "global.gateway.enabled": True,
        "global.gateway.parentRefs": [{"name": "g"}],
    },
}
OWN_MONITOR = {
    "journey": "own",
    "journeyFrom": {"configMapKeyRef": {"name": "own", "key": "own.yaml"}},
    "interval": "1h",
    "credentials": True,
}
EFFECTS = {
    **{chart: SERVICE_VALUES | OWN_VALUES[chart] for chart in SERVICES},
    "cadastro": UMBRELLA_VALUES,
    "synthetic": SYNTHETIC_VALUES,
    "load": LOAD_VALUES,
}
REQUIRED_OPTIONS = {
    **{chart: standalone_options(chart) for chart in SERVICES},
    "cadastro": [],
    "synthetic": [
        *("--set-json", f"monitors.own={json.dumps(OWN_MONITOR)}"),
        *("--set-json", 'credentials.existingSecret="credentials"'),
    ],
    "load": ["--set-json", 'url="http://cadastro.example"'],
}
