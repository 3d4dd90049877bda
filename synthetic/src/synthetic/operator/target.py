"""The target of a monitor: a URL, or an object in its namespace that has one."""

from dataclasses import dataclass
from typing import Self

from synthetic.operator.resources import Object

KINDS = {  # by the field of spec.target
    "ingress": "Ingress",
    "httpRoute": "HTTPRoute",
    "gateway": "Gateway",
    "service": "Service",
}


@dataclass(frozen=True, slots=True)
class Target:
    """A URL, or the reference to an object; the CRD's schema admits exactly one of them."""

    url: str = ""
    field: str = ""  # of spec.target, such as ingress
    name: str = ""
    listener: str = ""  # of a Gateway
    scheme: str = "http"  # of a Service, as are its port and path
    port: int = 0
    path: str = ""

    @classmethod
    def parse(cls, target: Object) -> Self:
        """Parse ``spec.target``."""
        field = next((name for name in KINDS if name in target), "")
        found: Object = target.get(field, {})
        return cls(
            url=target.get("url", ""),
            field=field,
            name=found.get("name", ""),
            listener=found.get("listener", ""),
            scheme=found.get("scheme", "http"),
            port=found.get("port", 0),
            path=found.get("path", ""),
        )

    @property
    def kind(self) -> str:
        """The kind of the object; an empty text for a URL."""
        return KINDS.get(self.field, "")

    @property
    def binding(self) -> str:
        """The entry of a Secret's annotation that allows this target, such as ``ingress/front``."""
        return f"{self.kind.lower()}/{self.name}" if self.kind else ""
