"""Release notes from the changelog."""

import re

from scripts.release.commands import ReleaseError


def release_notes(changelog: str, version: str) -> str:
    """Return the section of a version, or else the unreleased one, as release notes.

    Raises:
        ReleaseError: neither has an entry.

    """
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)
    for title in (version, "Unreleased"):
        for section in sections:
            heading, _, body = section.partition("\n")
            if heading.strip("[] ").partition(" ")[0].rstrip("]") == title and "- " in body:
                return f"# {version}\n{body.strip()}\n"
    raise ReleaseError(f"CHANGELOG.md has no entries: write a section ## {version}")


def changes(notes: str) -> list[dict[str, str]]:
    """Return the entries of release notes as Artifact Hub's annotation ``changes`` has them."""
    found: list[dict[str, str]] = []
    kind = ""
    for line in notes.splitlines():
        if line.startswith("### "):
            kind = line.removeprefix("### ").strip().lower()
        elif line.startswith("- "):
            found.append({"kind": kind, "description": line.removeprefix("- ")})
        elif line.startswith("  ") and found:
            found[-1]["description"] += f" {line.strip()}"
    return found
