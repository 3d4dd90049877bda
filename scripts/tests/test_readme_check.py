"""The README's commands, as the trial on a fresh clone finds them."""

from pathlib import Path

from scripts import readme_commands
from scripts.readme_check import ELSEWHERE

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


def test_commands_are_told_from_drawings_and_from_what_they_print() -> None:
    assert readme_commands.named(PAGE) == ["make run", "kubectl get pods"]
    assert readme_commands.answered(PAGE) == [("curl -s $URL", '{"msg":"hello"}'), ("A=1", "")]


def test_nothing_is_tried_elsewhere_that_the_page_does_not_have() -> None:
    page = (Path(__file__).parents[2] / "README.md").read_text()
    commands = readme_commands.named(page)
    assert [start for start in ELSEWHERE if not any(c.startswith(start) for c in commands)] == []
