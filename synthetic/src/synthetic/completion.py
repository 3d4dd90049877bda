"""Bash completion, generated from the argument parsers."""

import argparse

_SCRIPT = """\
_synthetic() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
  case $COMP_CWORD:${{COMP_WORDS[1]}}:$before in
  1:*) COMPREPLY=($(compgen -W "{commands}" -- "$word")) ;;
  2:probe:*) COMPREPLY=($(compgen -W "$(synthetic list 2>/dev/null | cut -d' ' -f1)" -- "$word")) ;;
  *:new:new | *:new:-o | *:new:--output) COMPREPLY=($(compgen -f -- "$word")) ;;
  *:new:--version) COMPREPLY=($(compgen -W "1.0.1 1.1.0" -- "$word")) ;;
  *:check:*) COMPREPLY=($(compgen -f -- "$word")) ;;
  *:--file | *:--inputs | *:--cred* | *:--termination-log) COMPREPLY=($(compgen -f -- "$word")) ;;
  *:--kubeconfig) COMPREPLY=($(compgen -f -- "$word")) ;;
  2:explain:* | 2:run:* | 2:suspend:* | 2:resume:*)
    before=$(kubectl get synmon -o name 2>/dev/null | cut -d/ -f2)
    COMPREPLY=($(compgen -W "$before" -- "$word")) ;;
  *:--output) COMPREPLY=($(compgen -W "table json junit har" -- "$word")) ;;
{cases}
  esac
}}
complete -F _synthetic synthetic
"""


def bash_completion(commands: dict[str, argparse.ArgumentParser]) -> str:
    """Return a script for `source <(synthetic completion bash)`."""
    cases = "\n".join(
        f'  *:{name}:*) COMPREPLY=($(compgen -W "{_options(parser)}" -- "$word")) ;;'
        for name, parser in commands.items()
    )
    return _SCRIPT.format(commands=" ".join(commands), cases=cases)


def _options(parser: argparse.ArgumentParser) -> str:
    actions = parser._actions  # noqa: SLF001 - argparse has no public API for it
    return " ".join(option for a in actions for option in a.option_strings if option[:2] == "--")
