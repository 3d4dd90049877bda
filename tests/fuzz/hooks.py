"""Hooks of schemathesis: valid values, rules that no schema can express, contract coverage.

Schemathesis loads this file; FUZZ_CONTRACT is the name of the contract.
"""

import os
from functools import cache
from typing import Any

import httpx
import jsonschema_rs
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import RejectedPositiveData
from validate_docbr import CPF

from servicekit.testing import CONTRACTS, Operations, record, record_secrets

BAD_REQUEST = 400
UFS = ["AC", "BA", "DF", "SP"]  # enough of the 27

# Reasons to reject a request that is valid by its schema.
RULES = (
    "must be a CPF whose check digits are right",
    "must be an e-mail address",
    "must be one of the 27 UFs",
    "must be a date and a time that exist",
    "must be the address's own client",
    "This client may not have the scope",
    "must not be blank",
    "must have a visible character",
    "is too long when its letters are written out",
)

# Few choices: generated values must match the patterns too, and mismatches cost time.
schemathesis.openapi.format("uf", st.sampled_from(UFS))
schemathesis.openapi.format("cpf", st.sampled_from([CPF().generate(mask=True) for _ in range(999)]))
schemathesis.openapi.format("utf8-email", st.integers(0).map("Vinícius_{}@example.test".format))


@schemathesis.hook
def after_call(context: HookContext, case: Case[Any], response: Response) -> None:  # noqa: ARG001
    """Record the status for the contract coverage, and the secrets that were sent."""
    url = response.request.url or ""
    path = url.partition("?")[0].removeprefix(os.environ["FUZZ_URL"])
    found = _operations().find(str(response.request.method), path)
    if found is not None:
        record("fuzz", found.operation_id, response.status_code)
        body = response.request.body
        content = body if isinstance(body, str | bytes) else b""
        headers = {name: str(value) for name, value in response.request.headers.items()}
        request = httpx.Request("POST", "http://-", headers=headers, content=content)
        record_secrets(request, _operations().personal_members)


@schemathesis.hook
def filter_failure(
    context: HookContext,  # noqa: ARG001 - hooks are called by position
    failure: Failure,
    case: Case[Any],
    response: Response,
) -> bool:
    """Return whether a failure counts: rejections by a rule that no schema expresses do not.

    The server or the ingress rejects malformed HTTP, which no contract describes.
    """
    length = str(response.request.headers.get("Content-Length", 0))
    if response.status_code == BAD_REQUEST and not length.isdecimal():
        return False
    if not isinstance(failure, RejectedPositiveData):
        return True
    problems = response.json().get("errors", [])
    return not problems or not all(_is_explained(problem, case) for problem in problems)


def _is_explained(problem: dict[str, str], case: Case[Any]) -> bool:
    """Return whether a rule explains a problem, or the value violates the contract after all.

    Schemathesis 4.32 considers ``0`` valid for the pattern of entity tags.
    """
    headers: dict[str, Any] = dict(case.headers or {})
    header = headers.get(problem["field"])
    schemas: dict[str, Any] = {
        parameter.name: parameter.definition["schema"] for parameter in case.operation.headers
    }
    if header is not None and problem["field"] in schemas:
        return not jsonschema_rs.Draft4Validator(schemas[problem["field"]]).is_valid(header)
    return problem["reason"].startswith(RULES)


@cache
def _operations() -> Operations:
    return Operations(CONTRACTS / f"{os.environ['FUZZ_CONTRACT']}.yaml")
