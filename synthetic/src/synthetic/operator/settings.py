"""The operator's settings, read from environment variables."""

from dataclasses import dataclass
from ipaddress import ip_network
from typing import Self

from environs import Env, EnvValidationError, ValidationError, validate

from synthetic.operator.probe_pod import ProbeImage

ALL_NAMESPACES = "*"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingsError(Exception):
    """Missing or invalid settings; the message lists all of them."""


@dataclass(frozen=True)
class Settings:
    """The operator's settings."""

    image: ProbeImage
    namespace: str  # of the operator's pod
    name: str  # of the operator in its namespace; all its pods have the same
    namespaces: tuple[str, ...]  # or `*` for all
    config_map: str  # with the release's monitors, in the operator's namespace; may be empty
    port: int
    resync_seconds: int
    workers: int
    log_level: str
    notify_networks: tuple[str, ...]  # that notifications may reach, beside public addresses

    @classmethod
    def from_environment(cls) -> Self:
        """Read the settings.

        Raises:
            SettingsError: settings are missing or invalid.

        """
        env = Env(eager=False)
        image = ProbeImage(
            name=env.str("PROBE_IMAGE", validate=validate.Length(min=1)),
            pull_policy=env.str(
                "PROBE_IMAGE_PULL_POLICY",
                "IfNotPresent",
                validate=validate.OneOf(("Always", "IfNotPresent", "Never")),
            ),
            pull_secrets=tuple(env.list("PROBE_IMAGE_PULL_SECRETS", [])),
            labels=env.dict("PROBE_LABELS", {}),
            assigned_user=env.bool("PROBE_ASSIGNED_USER", default=False),
        )
        settings = cls(
            image=image,
            namespaces=tuple(env.list("WATCH_NAMESPACES", validate=validate.Length(min=1))),
            config_map=env.str("MONITORS_CONFIG_MAP", ""),
            namespace=env.str("POD_NAMESPACE", "default"),
            name=env.str("OPERATOR_NAME", "synthetic"),
            port=env.int("PORT", 8080, validate=validate.Range(0, 65_535)),
            resync_seconds=env.int("RESYNC_SECONDS", 120, validate=validate.Range(5, 3600)),
            workers=env.int("WORKERS", 8, validate=validate.Range(1, 64)),
            notify_networks=tuple(env.list("NOTIFY_NETWORKS", [], validate=_check_networks) or ()),
            log_level=env.str("LOG_LEVEL", "INFO", validate=validate.OneOf(LOG_LEVELS)),
        )
        try:
            env.seal()
        except EnvValidationError as error:
            raise SettingsError(_format_errors(error)) from None
        return settings

    @property
    def cluster_wide(self) -> bool:
        """True if the operator watches all namespaces."""
        return self.namespaces == (ALL_NAMESPACES,)

    @property
    def list_namespaces(self) -> tuple[str, ...]:
        """The namespaces to list; an empty name stands for all."""
        return ("",) if self.cluster_wide else self.namespaces


def _check_networks(texts: list[str]) -> None:
    for text in texts:
        try:
            ip_network(text)
        except ValueError as error:
            raise ValidationError(f"{text!r} is no network like 10.0.0.0/8: {error}") from None


def _format_errors(error: EnvValidationError) -> str:
    messages = error.error_messages
    assert isinstance(messages, dict)  # noqa: S101 - for mypy
    lines = [f"  {name}: {' '.join(map(str, why))}" for name, why in sorted(messages.items())]
    return "\n".join(["missing or invalid settings:", *lines])
