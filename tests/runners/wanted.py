"""The verdicts that the text of the standard demands, with their reasons."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FILE = Path(__file__).with_name("wanted.toml")


@dataclass(frozen=True)
class Wanted:
    """The verdicts on the workflows of a document; those without an entry pass."""

    verdicts: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    is_known: bool = False

    def verdict(self, workflow: str) -> str:
        """Return the verdict on a workflow, empty for an unknown document."""
        return self.verdicts.get(workflow, "passed") if self.is_known else ""


def read_wanted(file: Path = FILE) -> dict[str, Wanted]:
    """Return the verdicts by the end of a document's path."""
    documents = tomllib.loads(file.read_text(encoding="utf-8"))
    return {
        name: Wanted(
            {
                workflow: each["verdict"]
                for workflow, each in workflows.items()
                if "verdict" in each
            },
            {workflow: each["note"] for workflow, each in workflows.items() if "note" in each},
            is_known=True,
        )
        for name, workflows in documents.items()
    }


def find_wanted(known: Mapping[str, Wanted], name: str) -> Wanted:
    """Return the verdicts on the document at a path."""
    return next((each for end, each in known.items() if f"/{name}".endswith(f"/{end}")), Wanted())
