"""Cron expressions, compared with the library of the CronJob controller."""

import shutil
import subprocess
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from synthetic.operator.cron import Cron, CronError
from tests.support.synthetic.robfig_cron.table import HERE, TABLE, Row, build_table, read_table

NOW = datetime(2026, 1, 31, 10, 0, tzinfo=UTC)


def times(row: Row) -> tuple[str, ...]:
    """Return the times of a row as the operator computes them."""
    try:
        cron = Cron.parse(row.expression)
    except CronError:
        return ("invalid",)
    found: list[str] = []
    at = row.start
    while len(found) < len(row.times):
        try:
            at = cron.after(at, ZoneInfo(row.zone))
        except CronError:
            return (*found, "never")
        found.append(str(int(at.timestamp())))
    return tuple(found)


def test_computes_the_times_of_robfig_cron() -> None:
    rows = read_table()
    assert len({row.expression for row in rows}) >= 500
    assert [row for row in rows if times(row) != row.times] == []


@pytest.mark.long
@pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed")
def test_the_table_is_the_one_of_robfig_cron() -> None:
    if subprocess.run(["go", "mod", "download"], cwd=HERE, check=False).returncode:  # noqa: S607 - as in the table
        pytest.skip("the module cannot be downloaded")
    assert build_table() == TABLE.read_text()


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("* * * *", "4 fields instead of five"),
        ("61 * * * *", "the minute '61' is not within 0 to 59"),
        ("* 5-1 * * *", "the hour '5-1' is not within 0 to 23, in ascending order"),
        ("* * 0 * *", "the day of the month '0'"),
        ("* * * foo *", "the month 'foo' is not a number: use 1 to 12, jan to dec or"),
        ("* * * * 7", "the day of the week '7' is not within 0 to 6"),
        ("*/0 * * * *", "has the step 0"),
        ("1/2/3 * * * *", "neither like 1-5 nor"),
        (", * * * *", "has no value"),
    ],
)
def test_an_invalid_expression_is_reported_with_its_field(expression: str, message: str) -> None:
    with pytest.raises(CronError, match=message.replace("/", r"\/")):
        Cron.parse(expression)


@pytest.mark.parametrize(
    ("expression", "days", "count"),
    [
        ("*/5 * * * *", 1, 288),
        ("*/5 * * * *", 30, 8640),
        ("0 9 * * MON-FRI", 7, 5),
        ("0 0 1 * *", 30, 0),
        ("0 0 31 1 *", 30, 1),
        ("0,30 9-10 * * *", 7, 28),
    ],
)
def test_counts_the_runs_of_a_window(expression: str, days: int, count: int) -> None:
    assert Cron.parse(expression).count(NOW, days) == count
