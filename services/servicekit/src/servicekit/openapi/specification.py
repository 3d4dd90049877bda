"""A contract as Connexion's specification object."""

from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import orjson

from servicekit.openapi.contract import ContractError
from servicekit.openapi.lazy_connexion import OpenAPISpecification


class Specification(OpenAPISpecification):  # type: ignore[misc] # Connexion ships no types
    """A contract as Connexion's specification object."""

    def __init__(self, contract: Mapping[str, Any]) -> None:
        """Wrap a document without references to other files.

        Raises:
            ContractError: the document violates the schema of its OpenAPI version.

        """
        super().__init__(orjson.loads(orjson.dumps(contract, option=orjson.OPT_NON_STR_KEYS)))

    @classmethod
    def _validate_spec(cls, spec: dict[str, Any]) -> None:
        """Validate against Connexion's copy of the OpenAPI schema, but with jsonschema-rs.

        Connexion's own validation takes longer than all other work on a contract. It also checks
        each ``default``; ``Parameters`` does so here.
        """
        validator = jsonschema_rs.Draft4Validator(cls.openapi_schema, mask="it")
        for error in validator.iter_errors(spec):
            deepest = _deepest_error(error)
            location = " > ".join(map(str, deepest.instance_path)) or "its root"
            raise ContractError(f"the contract is not OpenAPI 3.0 at {location}: {deepest.message}")


def _deepest_error(error: jsonschema_rs.ValidationError) -> jsonschema_rs.ValidationError:
    """Return the deepest error among the alternatives, which is in the intended one."""
    kind: Any = error.kind
    if kind.name not in {"anyOf", "oneOf"}:
        return error
    within = [_deepest_error(each) for alternative in kind.context for each in alternative]
    return max([error, *within], key=lambda each: len(each.instance_path))
