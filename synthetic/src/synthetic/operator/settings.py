"""What the operator is told, read once from its environment."""

from dataclasses import dataclass
from typing import Self

from environs import Env, EnvValidationError, validate

from synthetic.operator.cronjob import ProbeImage

ALL_NAMESPACES = "*"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class SettingsError(Exception):
    """Settings that are missing or wrong; the message lists every one of them."""


@dataclass(frozen=True)
class Settings:
    """The operator's settings."""

    image: ProbeImage
    namespace: str  # the operator's own
    namespaces: tuple[str, ...]  # `*` alone is all of them
    config_map: str  # with the release's monitors, in the operator's namespace; or none
    port: int
    resync_seconds: int  # seconds
    workers: int
    log_level: str

    @classmethod
    def from_environment(cls) -> Self:
        """Read them.

        Raises:
            SettingsError: some are missing or wrong.

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
        )
        settings = cls(
            image=image,
            namespaces=tuple(env.list("WATCH_NAMESPACES", validate=validate.Length(min=1))),
            config_map=env.str("MONITORS_CONFIG_MAP", ""),
            namespace=env.str("POD_NAMESPACE", "default"),
            port=env.int("PORT", 8080, validate=validate.Range(0, 65_535)),
            resync_seconds=env.int("RESYNC_SECONDS", 120, validate=validate.Range(5, 3600)),
            workers=env.int("WORKERS", 8, validate=validate.Range(1, 64)),
            log_level=env.str("LOG_LEVEL", "INFO", validate=validate.OneOf(LOG_LEVELS)),
        )
        try:
            env.seal()
        except EnvValidationError as error:
            raise SettingsError(_format_errors(error)) from None
        return settings

    @property
    def cluster_wide(self) -> bool:
        """Whether all namespaces are watched."""
        return self.namespaces == (ALL_NAMESPACES,)

    @property
    def list_namespaces(self) -> tuple[str, ...]:
        """The namespaces to list; an empty name is all of them."""
        return ("",) if self.cluster_wide else self.namespaces


def _format_errors(error: EnvValidationError) -> str:
    messages = error.error_messages
    assert isinstance(messages, dict)  # noqa: S101 - tells mypy what a sealed environment holds
    lines = [f"  {name}: {' '.join(map(str, why))}" for name, why in sorted(messages.items())]
    return "\n".join(["these settings are missing or wrong:", *lines])
