"""Composition of a document from contracts: sources, the chosen operations, and messages."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from synthetic.new.chains import ChainWriter, Written
from synthetic.new.contract import Endpoint, load_endpoints, title
from synthetic.new.diagnosis import find_problems
from synthetic.new.document import fill_ins, write_document
from synthetic.new.names import identifier, unique
from synthetic.new.resources import Catalog
from synthetic.probe.documents import DocumentStore
from synthetic.probe.problems import closest, quoted
from synthetic.probe.results import ProbeError


class UsageError(Exception):
    """An option of the command is wrong."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The operations to call: those with an id or with a tag, or all without either."""

    operations: Sequence[str] = ()
    tags: Sequence[str] = ()

    def named(self, endpoints: Sequence[Endpoint]) -> set[Endpoint]:
        """Return the operations that are named by their ids.

        Raises:
            UsageError: there is no such operation.

        """
        for name in self.operations:
            _check_known("operation", name, [each.name for each in endpoints])
        return {each for each in endpoints if each.name in self.operations}

    def wanted(self, endpoints: Sequence[Endpoint]) -> set[Endpoint]:
        """Return the operations to call; a deprecated one only if it is named by its id.

        Raises:
            UsageError: there is no such operation or tag.

        """
        named = self.named(endpoints)
        for tag in self.tags:
            _check_known("tag", tag, [tag for each in endpoints for tag in each.tags])
        tagged = {each for each in endpoints if not {*self.tags}.isdisjoint(each.tags)}
        if not self.operations and not self.tags:
            tagged = set(endpoints)
        return named | {each for each in tagged if not each.is_deprecated}


def compose(
    contracts: Sequence[str], selection: Selection, folder: Path, version: str
) -> tuple[str, list[str]]:
    """Return an Arazzo document for a file in ``folder``, and messages for the user.

    Raises:
        ProbeError: a contract is invalid; the message has a line for each mistake.
        UsageError: the selection names what no contract has.

    """
    store = DocumentStore()
    sources: dict[str, str] = {}
    titles: list[str] = []
    endpoints: list[Endpoint] = []
    for contract in contracts:
        location = _location(contract)
        problems = find_problems(store, location)
        if problems:
            raise ProbeError("\n".join(map(str, problems)))
        name = unique(identifier(_stem(contract)), sources)
        sources[name] = _url(location, folder)
        titles.append(title(store.root(location)))
        try:
            endpoints += load_endpoints(store, location, name)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise _invalid(contract) from error
    try:
        written = _write(endpoints, selection, is_alone=len(sources) == 1)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise _invalid(", ".join(contracts)) from error
    return write_document(written, titles, sources, version), _messages(written)


def _write(endpoints: list[Endpoint], selection: Selection, *, is_alone: bool) -> Written:
    wanted, named = selection.wanted(endpoints), selection.named(endpoints)
    ids = Counter(each.name for each in endpoints)
    by_id = is_alone and max(ids.values(), default=0) == 1
    catalog = Catalog(each for each in endpoints if each in named or not each.is_deprecated)
    written = ChainWriter(catalog, wanted, by_id=by_id).write(named)
    if not written.drafts:
        names = ", ".join(each.name for each in written.left_out)
        if not names:
            raise UsageError("all operations are deprecated: name those to call with --operation")
        raise UsageError(f"the effect of {quoted(names)} is not undone: name it with --operation")
    return written


def _messages(written: Written) -> list[str]:
    count = len(written.drafts)
    steps = sum(len(draft.steps) for draft in written.drafts)
    messages = [f"{count} workflow{'s' * (count > 1)}, {steps} step{'s' * (steps > 1)}"]
    for draft in written.drafts:
        messages += [f"{draft.workflow_id}: fill in {text}" for text in fill_ins(draft)]
        messages += [f"{draft.workflow_id}: {note}" for note in draft.notes]
    return messages


def _invalid(contract: str) -> ProbeError:
    return ProbeError(f"{contract} is not a valid OpenAPI document: check it with a linter")


def _check_known(kind: str, name: str, known: list[str]) -> None:
    if not known:
        raise UsageError(f"there is no {kind} {quoted(name)}: the contracts have no {kind}s")
    if name not in known:
        names = ", ".join(dict.fromkeys(known))
        hint = closest(name, known) or f"there are {quoted(names)}"
        raise UsageError(f"there is no {kind} {quoted(name)}: {hint}")


def _location(contract: str) -> Path | str:
    return contract if urlsplit(contract).scheme in {"http", "https"} else Path(contract)


def _stem(contract: str) -> str:
    return Path(unquote(urlsplit(contract).path)).stem.removesuffix(".openapi")


def _url(location: Path | str, folder: Path) -> str:
    """Return the URL of a contract, relative to the folder of the written document."""
    if isinstance(location, str):
        return location
    path = quote(os.path.relpath(location, folder).replace(os.sep, "/"), safe="/~!$&'()*+,;=@")
    return path if path.startswith("../") else f"./{path}"
