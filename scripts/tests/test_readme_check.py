"""The parser of documented commands, and the list of commands that are not run."""

from pathlib import Path

from scripts import readme_commands
from scripts.readme_check import NOT_RUN, WHILE_RUNNING

ROOT = Path(__file__).parents[2]
PAGE = """
```
make run     # starts it
kubectl get pods
a drawing -> of parts
```
Words between.
```console
$ curl -s $URL
{"msg":"hello"}
$ A=1
```
"""


def test_separates_commands_from_diagrams_and_output() -> None:
    assert readme_commands.listed(PAGE) == ["make run", "kubectl get pods"]
    assert readme_commands.with_output(PAGE) == [
        ("curl -s $URL", '{"msg":"hello"}'),
        ("A=1", ""),
    ]


def test_every_rule_matches_a_documented_command() -> None:
    commands = readme_commands.listed(readme_commands.read_pages(ROOT))
    rules = [*NOT_RUN, *WHILE_RUNNING, "make restore", "make run "]
    assert [start for start in rules if not any(c.startswith(start) for c in commands)] == []


def test_every_documented_command_has_a_rule() -> None:
    commands = readme_commands.listed(readme_commands.read_pages(ROOT))
    rules = (*NOT_RUN, *WHILE_RUNNING, "make restore", "make run")
    assert [command for command in commands if not command.startswith(rules)] == []
