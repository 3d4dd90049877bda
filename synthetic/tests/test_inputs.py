"""Inputs of journeys: generators, and values that are given."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from validate_docbr import CNPJ, CPF

from synthetic.probe.catalog import load_journey
from synthetic.probe.generators import generate
from synthetic.probe.given_inputs import gather_inputs, parse_pairs
from synthetic.probe.inputs import generate_inputs
from synthetic.probe.results import ProbeError
from tests.support.synthetic.mock_shop import write_journey

SCHEMA = {
    "type": "object",
    "properties": {
        "count": {"type": "integer", "default": 1},
        "is-new": {"type": "boolean"},
        "text": {"type": "string"},
        "tags": {"type": ["array", "null"]},
    },
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("uuid", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
        ("integer", r"\d{1,10}"),
        ("integer -3 -3", r"-3"),
        ("date-time", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"),
        ("words", r"[a-z]+( [a-z]+){3}"),
        ("words 1", r"[a-z]+"),
        ("cep", r"\d{5}-\d{3}"),
        ("cnpj", r"\d\d\.\d{3}\.\d{3}/\d{4}-\d\d"),
        ("cnpj-alphanumeric", r"[0-9A-Z]{2}\.[0-9A-Z]{3}\.[0-9A-Z]{3}/[0-9A-Z]{4}-\d\d"),
        ("cpf", r"\d{3}\.\d{3}\.\d{3}-\d\d"),
        ("name", r"Probe [0-9a-f]{16}"),
        ("email", r"probe-[0-9a-f]{16}@example\.invalid"),
    ],
)
def test_generates_values_of_a_form(text: str, pattern: str) -> None:
    assert all(re.fullmatch(pattern, str(generate(text, {}))) for _ in range(50))


@pytest.mark.parametrize("name", ["cnpj", "cnpj-alphanumeric"])
def test_a_cnpj_has_the_check_digits_of_the_federal_revenue(name: str) -> None:
    for _ in range(200):
        digits = [ord(c) - 48 for c in re.sub(r"\W", "", generate(name, {}))]
        for end in (12, 13):
            weights = [2 + (end - 1 - i) % 8 for i in range(end)]
            rest = sum(d * w for d, w in zip(digits, weights, strict=False)) % 11
            assert digits[end] == (0 if rest < 2 else 11 - rest)


@pytest.mark.parametrize(("name", "document"), [("cpf", CPF()), ("cnpj", CNPJ())])
def test_another_library_accepts_the_check_digits(name: str, document: CPF | CNPJ) -> None:
    assert all(document.validate(generate(name, {})) for _ in range(200))


def test_the_example_of_the_federal_revenue_has_these_check_digits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    characters = iter("12ABC34501DE")
    monkeypatch.setattr("secrets.choice", lambda _: next(characters))
    assert generate("cnpj-alphanumeric", {}) == "12.ABC.345/01DE-35"


@pytest.mark.parametrize(
    ("offset", "seconds"), [("+2h", 7200), ("-1d", -86_400), ("+30s", 30), ("-1w", -604_800)]
)
def test_a_moment_may_be_relative_to_now(offset: str, seconds: int) -> None:
    before = datetime.now(UTC)
    moment = datetime.fromisoformat(generate(f"date-time {offset}", {}))
    after = datetime.now(UTC)
    assert before <= moment - timedelta(seconds=seconds) <= after


def test_the_generators_of_a_workflow_are_outside_the_schema(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        workflow = document["workflows"][0]
        workflow["inputs"]["properties"] = {"name": {"type": "string"}}
        workflow["x-generate"] = {"name": "words 2"}

    journey = load_journey("things", write_journey(tmp_path, change))
    assert len(generate_inputs(journey.inputs)["name"].split()) == 2


@pytest.mark.parametrize(
    ("generators", "message"),
    [
        ({"lost": "uuid"}, "there is no input lost to generate"),
        ({"name": "iban"}, "x-generate is one of cpf"),
        ({"name": "uuid 4"}, "x-generate is written as uuid"),
        ({"name": "integer 9 1"}, "integer [MINIMUM MAXIMUM]"),
        ({"name": "integer one"}, "integer [MINIMUM MAXIMUM]"),
        ({"name": "date-time tomorrow"}, "date-time [+2h]"),
        ({"name": "date-time +999999w"}, "date-time [+2h]"),
        ({"name": "words 1000000"}, "words [COUNT]"),
        ({"name": 5}, "x-generate is one of cpf"),
        (["name"], "x-generate must be an object"),
    ],
)
def test_rejects_an_invalid_generator_at_its_place(
    tmp_path: Path, generators: Any, message: str
) -> None:
    file = write_journey(tmp_path, lambda d: d["workflows"][0].update({"x-generate": generators}))
    with pytest.raises(ProbeError, match=r"things\.arazzo\.yaml:\d+:\d+: ") as error:
        load_journey("things", file)
    assert message in str(error.value)


def test_given_inputs_have_the_types_of_the_schema(tmp_path: Path) -> None:
    file = tmp_path / "inputs.yaml"
    file.write_text("{count: 5, text: of the file}")
    environment = {"SYNTHETIC_INPUT_IS_NEW": "true", "SYNTHETIC_INPUT_TEXT": "of the environment"}
    given = gather_inputs(SCHEMA, {"count": "7", "tags": '["a"]'}, file, environment)
    expected = {"count": 7, "is-new": True, "text": "of the environment", "tags": ["a"]}
    assert given == expected
    assert generate_inputs(SCHEMA, given) == expected
    assert gather_inputs(SCHEMA, {"text": "7"}, None, {}) == {"text": "7"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lost": "1"}, "there is no input lost; the inputs are count, is-new, text, tags"),
        ({"count": "many"}, "--input count: the value must be JSON of the type integer"),
        ({"count": "1.5"}, "count"),
        ({"tags": "{}"}, "tags"),
    ],
)
def test_rejects_a_given_input_that_the_schema_excludes(
    options: dict[str, str], message: str
) -> None:
    with pytest.raises(ProbeError, match=re.escape(message)):
        gather_inputs(SCHEMA, options, None, {})


def test_an_input_that_only_another_journey_of_the_run_has_is_left_out() -> None:
    given = gather_inputs(SCHEMA, {"count": "7", "id": "5"}, None, {}, elsewhere=("id", "text"))
    assert given == {"count": 7}
    with pytest.raises(ProbeError, match="there is no input lost"):
        gather_inputs(SCHEMA, {"lost": "5"}, None, {}, elsewhere=("id", "text"))


def test_options_need_a_name_and_a_value() -> None:
    assert parse_pairs(["a=b=c", "d="], "--input") == {"a": "b=c", "d": ""}
    for text in ("a", "=b", ""):
        with pytest.raises(ProbeError, match="--input must be like NAME=VALUE"):
            parse_pairs([text], "--input")


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"minProperties": 1, "properties": {"a": {"default": 1}}},
        {"anyOf": [{"required": ["a"]}], "properties": {"a": {"default": 1}}},
        {"not": {}},
    ],
)
def test_a_run_without_given_inputs_validates_none(schema: Any) -> None:
    assert gather_inputs(schema, {}, None, {}) == {}
