"""The table of a comparison."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.runners.commands import Verdict
from tests.runners.documents import Document
from tests.runners.wanted import Wanted

MAX_CAUSE = 150


@dataclass(frozen=True)
class Comparison:
    """The verdicts on the workflows of one document."""

    document: Document
    mistakes: Sequence[str]
    wanted: Wanted
    ours: Mapping[str, Verdict]
    theirs: Mapping[str, Verdict]

    @property
    def is_right(self) -> bool:
        """True if each verdict of ours is that of the standard, where that is known."""
        return not self.wrong(self.ours)

    def wrong(self, verdicts: Mapping[str, Verdict]) -> list[str]:
        """Return the workflows whose verdict is not that of the standard."""
        return [
            name
            for name, verdict in verdicts.items()
            if self.wanted.is_known and verdict.result != self.wanted.verdict(name)
        ]


def format_document(comparison: Comparison) -> str:
    """Return the rows of a document: its mistakes, and the verdicts on its workflows."""
    return "\n".join(_rows(comparison))


def _rows(comparison: Comparison) -> Iterator[str]:
    mistakes = len(comparison.mistakes)
    yield f"{comparison.document.name}: {f'{mistakes} mistakes' if mistakes else 'valid'}"
    yield from (f"    {mistake}" for mistake in comparison.mistakes)
    yield f"    {'workflow':44}{'standard':10}{'synthetic':10}{'respect':10}"
    for name, ours in comparison.ours.items():
        theirs, wanted = comparison.theirs[name], comparison.wanted.verdict(name)
        yield f"    {name:44}{wanted or '-':10}{ours.result:10}{theirs.result:10}"
        for label, verdict in (("synthetic", ours), ("respect", theirs)):
            if verdict.cause:
                yield f"        {label}: {verdict.cause[:MAX_CAUSE]}"
        if name in comparison.wanted.notes:
            yield f"        note: {comparison.wanted.notes[name]}"


def format_summary(comparisons: Sequence[Comparison]) -> str:
    """Return the counts of all documents."""
    valid = sum(not comparison.mistakes for comparison in comparisons)
    total = sum(len(each.ours) for each in comparisons if each.wanted.is_known)
    wrong = [sum(len(c.wrong(v)) for c, v in _sides(comparisons, side)) for side in (0, 1)]
    return (
        f"{len(comparisons)} documents, {valid} without mistakes; {total} workflows with a known "
        f"verdict; wrong verdicts: synthetic {wrong[0]}, respect {wrong[1]}"
    )


def _sides(
    comparisons: Sequence[Comparison], side: int
) -> Iterator[tuple[Comparison, Mapping[str, Verdict]]]:
    for comparison in comparisons:
        yield comparison, (comparison.ours, comparison.theirs)[side]
