"""Completion for shells, which shtab generates from the argument parsers."""

import argparse
from pathlib import Path

import shtab

SHELLS = ("bash", "zsh")
_LISTS = {  # commands that print the possible values, by metavar
    "JOURNEY": ("_synthetic_journeys", "synthetic list 2>/dev/null | cut -d' ' -f1"),
    "MONITOR": ("_synthetic_monitors", "kubectl get synmon -o name 2>/dev/null | cut -d/ -f2"),
}
_FUNCTIONS = {
    "bash": '{name}() {{ compgen -W "$({command})" -- "$1"; }}\n',
    "zsh": "{name}() {{ compadd -- $({command}) }}\n",
}


def completion(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return a script such as for `source <(synthetic completion bash)`."""
    _mark(parser)
    preamble = "".join(
        _FUNCTIONS[shell].format(name=name, command=command) for name, command in _LISTS.values()
    )
    return shtab.complete(parser, shell, preamble=preamble)


def _mark(parser: argparse.ArgumentParser) -> None:
    """Set the attribute `complete` of each argument, by which shtab completes its values."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public API for it
        if isinstance(action.choices, dict):  # commands
            for each in action.choices.values():
                _mark(each)
        elif action.metavar in _LISTS:
            name, _ = _LISTS[str(action.metavar)]
            vars(action)["complete"] = dict.fromkeys(SHELLS, name)
        elif action.type is Path:
            vars(action)["complete"] = shtab.FILE
