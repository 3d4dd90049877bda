"""API client of a user: changes of monitors, and logs of their probes."""

from urllib.parse import urlencode

from synthetic.operator.api_client import ApiClient, ApiError
from synthetic.operator.probe_pod import CONTAINER_NAME
from synthetic.operator.resources import GROUP, MONITORS, PLURAL, PODS, Object

DEFAULT_NAMESPACE = "default"
NOT_FOUND, BAD_REQUEST = 404, 400
JOB_LABEL = "batch.kubernetes.io/job-name"
UNDEFINED = (
    f"the cluster has no definition {PLURAL}.{GROUP}: install the chart synthetic, or choose "
    "another cluster with --context"
)
LOG_LINES, LOG_BYTES = 200, 64 * 1024


class UserError(Exception):
    """A command cannot do what was asked; the message has the cause and the remedy."""


class UserClient(ApiClient):
    """A session with the API server as the user of the kubeconfig."""

    @property
    def namespace(self) -> str:
        """The namespace of the context."""
        return (self._login.default_namespace if self._login else None) or DEFAULT_NAMESPACE

    async def get_monitor(self, namespace: str, name: str) -> Object:
        """Return a monitor.

        Raises:
            UserError: it does not exist.

        """
        monitor = await self.get(MONITORS, namespace, name)
        if monitor is None:
            raise await self._missing(namespace, name)
        return monitor

    async def list_monitors(self, namespace: str) -> list[Object]:
        """Return the monitors of a namespace, or of all.

        Raises:
            UserError: the cluster has no definition of monitors.

        """
        try:
            return await self.list(MONITORS, namespace)
        except ApiError as error:
            if error.status == NOT_FOUND:
                raise UserError(UNDEFINED) from error
            raise

    async def patch_monitor(self, namespace: str, name: str, change: Object) -> Object:
        """Merge a change into a monitor, and return that.

        Raises:
            UserError: it does not exist.

        """
        try:
            return await self._call("PATCH", MONITORS.path(namespace, name), change)
        except ApiError as error:
            if error.status == NOT_FOUND:
                raise await self._missing(namespace, name) from error
            raise

    async def read_log(self, namespace: str, job: str) -> str | None:
        """Return the end of the log of a Job's probe, or None if its pod is gone."""
        pods = await self.list(PODS, namespace, {"labelSelector": f"{JOB_LABEL}={job}"})
        last = max(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]), default=None)
        if last is None:
            return None
        limits = {"container": CONTAINER_NAME, "tailLines": LOG_LINES, "limitBytes": LOG_BYTES}
        path = PODS.path(namespace, last["metadata"]["name"], "log")
        try:
            content = await self._fetch("GET", f"{path}?{urlencode(limits)}", accept="*/*")
        except ApiError as error:
            if error.status in {NOT_FOUND, BAD_REQUEST}:  # the container has never started
                return None
            raise
        return content.decode(errors="replace")

    async def _missing(self, namespace: str, name: str) -> UserError:
        if not await self.has_resource(MONITORS):
            return UserError(UNDEFINED)
        return UserError(
            f"there is no monitor {name!r} in the namespace {namespace!r}: "
            "`synthetic monitors -A` lists those of all namespaces"
        )
