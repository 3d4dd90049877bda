"""Build and read the table of cron expressions with the times that robfig/cron computes."""

import random
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).parent
TABLE = HERE / "times.tsv"
EXPRESSIONS = 600
HEADER = """\
# Times of cron expressions as github.com/robfig/cron/v3 v3.0.1 computes them, the library of the
# CronJob controller of Kubernetes. Written by `python -m tests.support.synthetic.robfig_cron`.
# Expression, time zone, start, and the Unix times of the next three runs; or never, or invalid.
"""
STEPPED = ("*/2", "*/5", "1-31/3", "2/4", "?", "*", "*/1", "10,20", "31", "29-31", "1", "28/2")
FIELDS = (
    ("*", "*/1", "*/15", "0", "59", "5-10", "7/20", "0,30", "?", "*/7", "30", "61", "5-1", "*/0"),
    ("*", "*/2", "0", "1", "2", "3", "23", "1-3", "0,2", "9-17", "1/5", "24", "x", "0-23/6"),
    (*STEPPED, "32", "0"),
    ("*", "*/2", "feb", "MAR", "10", "11", "3,10", "jan-jun", "9-12", "*/5", "13", "foo", "2"),
    ("*", "?", "MON", "sun", "1-5", "0", "6", "*/2", "tue,thu", "fri-sat", "7", "0/3", "*/1"),
)
# Zones with a change of the clocks at night, at midnight, of half an hour, and without any; each
# with local days of changes that are past, so that no later change of its rules matters.
ZONES = {
    "Etc/UTC": ("2024-02-28", "2025-12-31"),
    "Europe/Lisbon": ("2024-03-31", "2024-10-27"),
    "America/New_York": ("2024-03-10", "2024-11-03"),
    "America/Sao_Paulo": ("2017-10-15", "2018-02-18"),
    "America/Santiago": ("2023-09-03", "2024-04-07"),
    "Asia/Beirut": ("2022-03-27", "2022-10-30"),
    "Africa/Cairo": ("2024-04-26", "2024-11-01"),
    "Atlantic/Azores": ("2024-03-31", "2024-10-27"),
    "Australia/Lord_Howe": ("2023-10-01", "2024-04-07"),
    "Asia/Kolkata": ("2024-02-28", "2025-12-31"),
}


@dataclass(frozen=True)
class Row:
    """An expression, its zone and start, and its times: digits, ``never`` or ``invalid``."""

    expression: str
    zone: str
    start: datetime
    times: tuple[str, ...]


def read_table() -> list[Row]:
    """Return the rows of the table."""
    rows = []
    for line in TABLE.read_text().splitlines():
        if not line.startswith("#"):
            expression, zone, start, times = line.split("\t")
            rows.append(Row(expression, zone, datetime.fromisoformat(start), tuple(times.split())))
    return rows


def build_table() -> str:
    """Return the table; it is the same each time.

    Raises:
        subprocess.CalledProcessError: Go cannot build or run the program.

    """
    questions = list(_questions())
    answers = subprocess.run(
        ["go", "run", "."],  # noqa: S607 - Go is where its user has installed it
        cwd=HERE,
        input="\n".join(questions),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    rows = [f"{question}\t{answer}" for question, answer in zip(questions, answers, strict=True)]
    return HEADER + "\n".join(rows) + "\n"


def _questions() -> list[str]:
    rng = random.Random(7)  # noqa: S311 - the same expressions each time
    questions: dict[str, str] = {}
    while len(questions) < EXPRESSIONS:
        expression = " ".join(_field(choices, rng) for choices in FIELDS)
        zone = rng.choice(list(ZONES))
        day = datetime.fromisoformat(rng.choice(ZONES[zone])).replace(tzinfo=UTC)
        start = day + timedelta(seconds=rng.randrange(-200_000, 100_000))
        questions[expression] = f"{expression}\t{zone}\t{start:%Y-%m-%dT%H:%M:%SZ}"
    return list(questions.values())


def _field(choices: tuple[str, ...], rng: random.Random) -> str:
    """Return a field: often any value, mostly a valid one."""
    if rng.random() < 0.3:
        return "*"
    valid = choices if rng.random() < 0.1 else choices[:8]
    return ",".join(rng.sample(valid, rng.choice((1, 1, 1, 2))))
