"""Regular expressions of ECMA-262, by the engine that checks the patterns of contracts."""

from collections.abc import Callable

from synthetic.probe.results import ProbeError


def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """Return a function that tells whether a text has a match.

    Raises:
        ProbeError: the pattern is invalid.

    """
    import jsonschema_rs  # noqa: PLC0415 - it needs 20 ms, and few journeys have patterns

    try:
        validator = jsonschema_rs.Draft202012Validator({"pattern": pattern})
    except (jsonschema_rs.ValidationError, ValueError) as error:
        raise ProbeError(
            f"{pattern[:100]} is not a regular expression of ECMA-262, as in contracts"
        ) from error
    return validator.is_valid
