"""The written Arazzo document: YAML with comments on what it needs."""

import re
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from synthetic.new.chains import Written
from synthetic.new.draft import Draft, Reference
from synthetic.new.writer import ordered

WIDTH = 120  # columns
ROOM = 90  # columns for a mapping in one line, without its indent
MAX_LEFT_OUT = 20  # operations that a comment names
HEAD = """\
First journeys from {titles}, written by `synthetic new`: change them as you need.
  synthetic check FILE
  synthetic probe FILE {servers} --credentials FOLDER"""


class _Dumper(yaml.SafeDumper):
    """Writes strings so that YAML 1.1 and 1.2 read them as strings; indents arrays."""

    def ignore_aliases(self, _data: Any) -> bool:  # noqa: ANN401 - any JSON
        return True

    def represent_mapping(
        self,
        tag: str,
        mapping: Any,  # noqa: ANN401 - any JSON
        flow_style: bool | None = None,  # noqa: FBT001 - the signature of the base class
    ) -> yaml.MappingNode:
        """Return a node in the flow style only if it fits into a line."""
        node = super().represent_mapping(tag, mapping, flow_style)
        if node.flow_style and sum(len(n.value) + len(v.value) + 4 for n, v in node.value) > ROOM:
            node.flow_style = False
        return node

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - the signature of the base class
        super().increase_indent(flow, False)  # noqa: FBT003 - as above


_Dumper.add_representer(Reference, lambda dumper, text: dumper.represent_str(str(text)))
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"0o[0-7]+$|[-+]?[0-9]+$"), list("-+0123456789")
)
_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)


def write_document(
    written: Written, titles: list[str], sources: Mapping[str, str], version: str
) -> str:
    """Return the text of an Arazzo document; ``sources`` are the URLs of contracts by name."""
    head = {
        "arazzo": version,
        "info": {"title": f"First journeys: {'; '.join(titles)}", "version": "1.0.0"},
        "sourceDescriptions": [
            {"name": name, "url": url, "type": "openapi"} for name, url in sources.items()
        ],
    }
    parts = [_head_comment(written, titles, sources), _dump(head), "workflows:\n"]
    parts += [_workflow(draft) for draft in written.drafts]
    return "".join(parts)


def fill_ins(draft: Draft) -> list[str]:
    """Return what the user has to fill in before a workflow runs."""
    return [f"{each.name}: {each.reason}" for each in draft.open_inputs]


def _head_comment(written: Written, titles: list[str], sources: Mapping[str, str]) -> str:
    servers = " ".join(f"--server {name}=URL" for name in sources)
    lines = HEAD.format(titles="; ".join(titles), servers=servers).splitlines()
    if any(draft.open_inputs for draft in written.drafts):
        lines.append("Fill in the inputs without default, or give them with --input NAME=VALUE.")
    names = [f"{each.name} ({each.method} {each.path})" for each in written.left_out]
    if names:
        more = f" and {len(names) - MAX_LEFT_OUT} more" if len(names) > MAX_LEFT_OUT else ""
        listed = ", ".join(names[:MAX_LEFT_OUT])
        lines.append(f"Left out, because their effect is not undone: {listed}{more}.")
        lines.append("Name an operation with --operation to include it.")
    return _comment(lines, "")


def _workflow(draft: Draft) -> str:
    properties = {
        name: {**schema, **_description(draft, name)} for name, schema in draft.inputs.items()
    }
    required = [each.name for each in draft.open_inputs]
    inputs: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        inputs["required"] = required
    workflow: dict[str, Any] = {"workflowId": draft.workflow_id, "summary": draft.summary}
    workflow |= {"inputs": inputs} if properties else {}
    workflow |= {"x-generate": draft.generators} if draft.generators else {}
    workflow["steps"] = [ordered(step) for step in draft.steps]
    comments = [f"Fill in {text}." for text in fill_ins(draft)]
    comments += [f"Note: {note}." for note in draft.notes]
    return _comment(comments, "  ") + textwrap.indent(_dump([workflow]), "  ")


def _description(draft: Draft, name: str) -> dict[str, str]:
    reasons = [each.reason for each in draft.open_inputs if each.name == name]
    return {"description": reasons[0]} if reasons else {}


def _dump(value: Any) -> str:  # noqa: ANN401 - any JSON
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=WIDTH - 2,
    )
    return text


def _comment(lines: Iterable[str], indent: str) -> str:
    """Return lines as comments; longer ones are wrapped, and control characters replaced."""
    prefix = f"{indent}# "
    result = []
    for line in lines:
        text = "".join(c if c.isprintable() else " " for c in line)
        margin = " " * (len(text) - len(text.lstrip()))
        result += textwrap.wrap(
            text, WIDTH, initial_indent=prefix, subsequent_indent=f"{prefix}{margin}"
        )
    return "".join(f"{line}\n" for line in result)
