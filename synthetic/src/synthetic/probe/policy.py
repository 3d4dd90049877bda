"""Which violations fail a step, and which only warn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from synthetic.probe.results import ProbeError

Severity = Literal["error", "warn", "off"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
CHECKS = ("http_status", "auth", "schema", "assertion")  # the reasons whose severity is free


@dataclass(frozen=True, slots=True)
class Policy:
    """The severity of violations by reason, and the treatment of formats."""

    severities: Mapping[str, Severity] = field(default_factory=dict)
    assert_formats: bool = True

    def severity(self, reason: str) -> Severity:
        """Return the severity of a reason; it is an error unless stated otherwise."""
        return self.severities.get(reason, "error")


STRICT = Policy()


def parse_severities(text: str) -> dict[str, Severity]:
    """Parse severities such as ``schema=warn,assertion=off``.

    Raises:
        ProbeError: a reason or a severity is unknown.

    """
    severities: dict[str, Severity] = {}
    for pair in filter(None, map(str.strip, text.split(","))):
        reason, _, name = pair.partition("=")
        severity = next((each for each in SEVERITIES if each == name), None)
        if reason not in CHECKS or severity is None:
            raise ProbeError(
                f"--severity: {pair[:60]!r} must be like schema=warn: one of {', '.join(CHECKS)} "
                f"with one of {', '.join(SEVERITIES)}"
            )
        severities[reason] = severity
    return severities
