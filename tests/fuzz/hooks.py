"""What schemathesis is told of Cadastro: values that pass, rules that no schema tells, a ledger.

Schemathesis loads this file; FUZZ_CONTRACT names the contract that it works on.
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

from servicekit.testing import CONTRACTS, Operations, record, remember

BAD_REQUEST = 400
UFS = ["AC", "BA", "DF", "SP"]  # enough of the 27

# Reasons for which a request that fits the contract is refused all the same.
RULES = (
    "must be a CPF whose check digits are right",
    "must be an e-mail address",
    "must be one of the 27 UFs",
    "must be a date and a time that exist",
    "must be the address's own client",
    "This client may not have the scope",
    "must not be blank",
    "is too long when its letters are written out",
)

# Drawn from few choices: what is generated must fit the patterns too, and misses cost time.
schemathesis.openapi.format("uf", st.sampled_from(UFS))
schemathesis.openapi.format("cpf", st.sampled_from([CPF().generate(mask=True) for _ in range(999)]))
schemathesis.openapi.format("utf8-email", st.integers(0).map("Vinícius_{}@example.test".format))


@schemathesis.hook
def after_call(context: HookContext, case: Case[Any], response: Response) -> None:  # noqa: ARG001
    """Note what was seen in the ledger, and what was sent."""
    url = response.request.url or ""
    path = url.partition("?")[0].removeprefix(os.environ["FUZZ_URL"])
    found = _operations().find(str(response.request.method), path)
    if found is not None:
        record("fuzz", found.operation_id, response.status_code)
        body = response.request.body
        content = body if isinstance(body, str | bytes) else b""
        headers = {name: str(value) for name, value in response.request.headers.items()}
        remember(httpx.Request("POST", "http://-", headers=headers, content=content))


@schemathesis.hook
def filter_failure(
    context: HookContext,  # noqa: ARG001 - hooks are called by position
    failure: Failure,
    case: Case[Any],
    response: Response,
) -> bool:
    """Keep a failure, but for a refusal of which the contract's words tell and no schema can.

    What is no HTTP is refused by the server or the ingress, and no contract speaks of it.
    """
    length = str(response.request.headers.get("Content-Length", 0))
    if response.status_code == BAD_REQUEST and not length.isdecimal():
        return False
    if not isinstance(failure, RejectedPositiveData):
        return True
    faults = response.json().get("errors", [])
    return not faults or not all(_is_explained(fault, case) for fault in faults)


def _is_explained(fault: dict[str, str], case: Case[Any]) -> bool:
    """Tell whether a rule explains a fault, or the value does not fit the contract after all.

    Schemathesis 4.32 takes ``0`` for a value that fits the pattern of entity tags.
    """
    headers: dict[str, Any] = dict(case.headers or {})
    header = headers.get(fault["field"])
    schemas: dict[str, Any] = {
        parameter.name: parameter.definition["schema"] for parameter in case.operation.headers
    }
    if header is not None and fault["field"] in schemas:
        return not jsonschema_rs.Draft4Validator(schemas[fault["field"]]).is_valid(header)
    return fault["reason"].startswith(RULES)


@cache
def _operations() -> Operations:
    return Operations(CONTRACTS / f"{os.environ['FUZZ_CONTRACT']}.yaml")
