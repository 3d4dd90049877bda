"""Mistakes planted in a document or its contract: `synthetic check` finds each with its place."""

from pathlib import Path
from typing import NamedTuple

import pytest

from synthetic.probe.arazzo_parser import read_all
from synthetic.probe.results import ProbeError
from tests.support.synthetic.checked_document import write_changed


class Mistake(NamedTuple):
    """A text that replaces another one, and the problem that has to be found."""

    kind: str
    old: str
    new: str
    place: str
    message: str


def mistakes() -> list[Mistake]:
    """Return the mistakes of the table beside this module."""
    rows = Path(__file__).with_name("planted_mistakes.txt").read_text().splitlines()
    texts = (row.replace("\\n", "\n").replace("\\t", "\t") for row in rows if row[:1] != "#")
    return [Mistake(*map(str.strip, text.split(" | "))) for text in texts]


def problems(file: Path) -> list[str]:
    """Return all problems of a file; one that is no YAML has a single one."""
    try:
        return [str(problem) for problem in read_all(file, against_contract=True)[1]]
    except ProbeError as error:
        return [str(error)]


def test_a_document_without_mistakes_has_no_problem(tmp_path: Path) -> None:
    assert problems(write_changed(tmp_path, "title: Orders", "title: Shop")) == []


@pytest.mark.parametrize("mistake", mistakes(), ids=lambda mistake: mistake.kind)
def test_a_planted_mistake_is_found_at_its_place(tmp_path: Path, mistake: Mistake) -> None:
    found = problems(write_changed(tmp_path, mistake.old, mistake.new))
    place = f"order.arazzo.yaml:{mistake.place}"
    assert any(text.startswith(place) and mistake.message in text for text in found), found


def test_another_verb_of_an_operation_is_no_misspelling(tmp_path: Path) -> None:
    file = write_changed(tmp_path, "operationId: createOrder", "operationId: deleteOrder")
    lost = "order.arazzo.yaml:14:9: the contract shop has no operation deleteOrder"
    assert lost in problems(file)


def test_the_table_has_many_kinds() -> None:
    kinds = [mistake.kind for mistake in mistakes()]
    assert len(set(kinds)) == len(kinds) >= 90


@pytest.mark.parametrize("start", ["\ufeff", "# a comment\n---\n"], ids=["bom", "start"])
def test_the_start_of_a_document_may_have_a_mark(tmp_path: Path, start: str) -> None:
    assert problems(write_changed(tmp_path, "arazzo: 1.1.0", f"{start}arazzo: 1.1.0")) == []


FINE = {
    "expression": ("amount: 1", "amount: $inputs.name"),
    "text-of-a-boolean": ("query, value: true", "query, value: 'true'"),
    "nested-expression": ("kind: small}", "kind: small, note: $inputs.name}"),
    "replacement-of-all": ("target: /note", "target: ''"),
    "common-header": ("$response.header.X-Total", "$response.header.Location"),
    "any-item": ("id: $response.body#/id", "id: $response.body.items[0].x.y"),
    "goto": (
        "retryLimit: 2}",
        "retryLimit: 2}\n          - {name: skip, type: goto, stepId: last}",
    ),
    "price": ("amount: 1", "amount: 1, note: $5"),
    "amount of a currency": ("amount: 1", "amount: 1, note: it costs $5.00 or $USD.9"),
    "variable": ("amount: 1", "amount: 1, note: $HOME/x"),
    "variable of a near name": ("amount: 1", "amount: 1, note: $URL"),
    "other word": ("amount: 1", "amount: 1, note: $item.name"),
    "GraphQL": ("amount: 1", "amount: 1, note: 'query ($input: Order!)'"),
    "other extension": ("- stepId: last\n", "- stepId: last\n        x-clear: 1\n"),
    "generated": ("default: Ana}", "default: Ana}\n      description: see $inputs.name"),
}


@pytest.mark.parametrize(("old", "new"), FINE.values(), ids=FINE)
def test_what_may_be_right_is_no_mistake(tmp_path: Path, old: str, new: str) -> None:
    assert problems(write_changed(tmp_path, old, new)) == []


def test_warnings_do_not_make_a_workflow_invalid(tmp_path: Path) -> None:
    file = write_changed(tmp_path, "default: Ana}", "default: Ana}\n        age: {}")
    valid, (warning,) = read_all(file, against_contract=True)
    assert list(valid) == ["order", "prepare"]
    assert warning.is_warning
