"""Sync the monitors of a Helm release from its ConfigMap: one key for each, its spec as YAML.

Helm cannot create a custom resource together with its definition, and a hook would recreate it
at each upgrade and lose its history. The ConfigMap owns the monitors that the operator creates.
"""

import hashlib
import logging
from typing import Any

import orjson
import yaml

from synthetic.operator.api_client import ApiClient, ApiError
from synthetic.operator.cronjob import DIGEST_ANNOTATION, matches
from synthetic.operator.resources import CONFIG_MAPS, GROUP, KIND, MONITORS, VERSION, Object

PROVIDED_BY_LABEL = f"{GROUP}/provided-by"

log = logging.getLogger(__name__)


async def sync(api: ApiClient, namespace: str, name: str) -> None:
    """Create and update the ConfigMap's monitors, and delete those without an entry.

    Raises:
        ApiError: the API server is unavailable; a rejected monitor is only logged.

    """
    config_map = await api.get(CONFIG_MAPS, namespace, name)
    if config_map is None:
        log.warning("the ConfigMap %s with the release's monitors does not exist", name)
        return
    found = await api.list(MONITORS, namespace, {"labelSelector": f"{PROVIDED_BY_LABEL}={name}"})
    existing = {monitor["metadata"]["name"]: monitor for monitor in found}
    wanted = config_map.get("data") or {}
    for monitor, text in wanted.items():
        try:
            await _apply(
                api, _desired(config_map, monitor, _parse_spec(text)), existing.get(monitor)
            )
        except ApiError as error:
            if not error.status:
                raise
            log.error("the monitor %s was rejected: %s", monitor, error.message)  # noqa: TRY400 - a stack would not help
    for monitor in existing.keys() - wanted.keys():
        await api.delete(MONITORS, namespace, monitor)


async def _apply(api: ApiClient, desired: Object, existing: Object | None) -> None:
    if existing is None:
        if await api.create(MONITORS, desired) is None:
            name = desired["metadata"]["name"]
            log.error("the monitor %s exists and is not the release's: rename one of them", name)
    elif not matches(desired, existing):
        metadata = {
            **existing["metadata"],
            "ownerReferences": desired["metadata"]["ownerReferences"],
        }
        for part in ("labels", "annotations"):  # keep those of other clients
            metadata[part] = {**metadata.get(part, {}), **desired["metadata"][part]}
        await api.replace(MONITORS, {**existing, "metadata": metadata, "spec": desired["spec"]})


def _desired(config_map: Object, name: str, spec: Any) -> Object:  # noqa: ANN401 - validated by the API server
    metadata = config_map["metadata"]
    digest = hashlib.sha256(orjson.dumps(spec)).hexdigest()[:16]
    labels = {
        key: value
        for key, value in metadata.get("labels", {}).items()
        if key.startswith("app.kubernetes.io/")
    }
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "metadata": {
            "name": name,
            "namespace": metadata["namespace"],
            "labels": {**labels, PROVIDED_BY_LABEL: metadata["name"]},
            "annotations": {DIGEST_ANNOTATION: digest},  # detects fields removed from the spec
            "ownerReferences": [
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "name": metadata["name"],
                    "uid": metadata["uid"],
                }
            ],
        },
        "spec": spec,
    }


def _parse_spec(text: str) -> Any:  # noqa: ANN401 - validated by the API server
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ApiError(400, f"the entry is not YAML: {error}") from error
