"""Decision records: their numbers, headings, length and index."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "adr"
RECORDS = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
HEADINGS = ["Status", "Context", "Decision", "Consequences"]
MAX_LINES = 40


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem[:4])
def test_a_record_is_short_and_has_the_four_headings(record: Path) -> None:
    text = record.read_text()
    number, _, title = text.splitlines()[0].partition(". ")
    assert number == f"# {int(record.stem[:4])}"
    assert title
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    assert len(text.splitlines()) <= MAX_LINES


def test_records_are_numbered_without_gaps() -> None:
    numbers = [int(record.stem[:4]) for record in RECORDS]
    assert numbers == list(range(1, len(RECORDS) + 1))


def test_the_index_lists_every_record_with_its_title() -> None:
    rows = re.findall(
        r"^\| \[([^]]+)\]\(([^)]+)\) \|", (FOLDER / "README.md").read_text(), re.MULTILINE
    )
    titles = [record.read_text().splitlines()[0].removeprefix("# ") for record in RECORDS]
    assert rows == list(zip(titles, [record.name for record in RECORDS], strict=True))


def test_a_superseded_record_names_its_successor() -> None:
    superseded = [record for record in RECORDS if "\nSuperseded" in record.read_text()]
    assert superseded
    for record in superseded:
        assert re.search(r"^Superseded.*\]\(\d{4}-.*\.md\)", record.read_text(), re.MULTILINE)
