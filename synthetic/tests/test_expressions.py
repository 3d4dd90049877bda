"""The language of runtime expressions, conditions, criteria and templates."""

import pytest

from synthetic.probe.criteria import parse_criterion
from synthetic.probe.expressions import parse_expression
from synthetic.probe.http import Response
from synthetic.probe.results import ProbeError, StepError
from synthetic.probe.runtime_values import UNDEFINED, Context, SentRequest, WorkflowValues
from synthetic.probe.templates import parse_template

BODY = b'{"name": "Ana", "n": 3, "a/b": [{"c": null}], "ok": true, "none": null}'
CONTEXT = Context(
    {
        "name": "ANA",
        "n": 3,
        "list": [{"id": 1}, {"id": 2}],
        "dotted.name": "whole",
        "deep": {"er": 1},
        "lines": "abc\n",
        "digit": "\u0663",
        "letter": "\u00e9",
    },
    {"make": {"id": 5}},
    Response(201, {"etag": '"1"'}, BODY),
    SentRequest("POST", "http://h/x?q=a", {"X-Note": "hi"}, {("query", "q"): "a b"}, {"a": 1}),
    {"id": 8},
    {"other": WorkflowValues({}, {"id": 7})},
)


@pytest.mark.parametrize(
    ("condition", "is_met"),
    [
        ("$statusCode == 201", True),
        ("$statusCode != 201", False),
        ("$statusCode == 200 || $statusCode == 201", True),
        ("$statusCode >= 200 && $statusCode < 300", True),
        ("!($statusCode == 404)", True),
        ("$response.body#/name == $inputs.name", True),
        ("$response.body#/name == 'ana'", True),
        ("$response.body#/name == 'it''s'", False),
        ("'STRASSE' == 'straße'", False),
        ("'STRASSE' != 'straße' && 'ss' < 'ß'", True),
        ("'Ação' == 'AÇÃO'", True),
        ("$response.body#/a~1b/0/c == null", True),
        ("$response.body#/a~1b/7/c == null", False),
        ("$response.body#/a~1b/00/c == null", False),
        ("$response.body#/a~1b/7/c != null", False),
        ("!($response.body#/a~1b/7/c == null)", False),
        ("$response.body#/missing == 1 || $statusCode == 201", True),
        ("$response.body#/none == null", True),
        ("$response.body#/none == 0", False),
        ("$response.body.name == 'Ana'", True),
        ("$response.body['x'] == 1 || $statusCode == 201", True),
        ("$steps.make.outputs.id == '5'", True),
        ("'10' > 9 && '10' > '9' && 'b' > 'A'", True),
        ("$response.body.ok[0] == true", False),
        ("$inputs.list[1].id == 2 && $inputs.list#/0/id == 1", True),
        ("$inputs.dotted.name == 'whole' && $inputs.deep.er == 1", True),
        ("$request.header.x-note == 'hi' && $request.query.q == 'a b'", True),
        ("$request.body#/a == 1 && $method == 'post' && $url == 'HTTP://h/x?q=a'", True),
        ("$workflows.other.outputs.id == 7 && $outputs.id == 8", True),
        ("$request.path.lost == 1", False),
        ("$response.body#/ok == true", True),
        ("$response.body#/ok == 1", False),
        ("$response.body#/n > 2.5", True),
        ("$response.body#/name > 2", False),
        ("$steps.make.outputs.id == 5", True),
        ("""$response.header.ETag == '"1"'""", True),
        ("$response.body#/ok", True),
        ("false || $response.body#/none", False),
    ],
)
def test_evaluates_simple_conditions(condition: str, *, is_met: bool) -> None:
    assert parse_criterion(condition).evaluate(CONTEXT) is is_met


@pytest.mark.parametrize(
    ("kind", "context", "condition", "is_met"),
    [
        ("regex", "$response.body#/name", "^A[a-z]+$", True),
        ("regex", "$response.body#/name", "^B", False),
        ("regex", "$response.body#/a~1b", r"^\[\{", True),
        ("regex", "$response.body#/none", "^null$", False),
        ("regex", "$response.body#/missing", "^null$", False),
        # as in ECMA-262, unlike in Python
        ("regex", "$inputs.lines", "^abc$", False),
        ("regex", "$inputs.lines", "^abc\n$", True),
        ("regex", "$inputs.digit", r"\d", False),
        ("regex", "$inputs.letter", r"\w", False),
        ("regex", "$response.body#/name", "(?<first>^A)na", True),
        ("regex", "$response.body#/name", "^(?=A).*(?<!b)a$", True),
        ("jsonpath", "$response.body", "$[?(@.n > 2)]", False),
        ("jsonpath", "$response.body", "$['a/b'][?(@.c == null)]", True),
        ("jsonpath", "$response.body", "$['a/b'][?@.c == null]", True),
        ("jsonpath", "$response.body", "$[?match(@, 'A.a')]", True),
        ("jsonpath", "$inputs.list", "$[?@.id == {$response.body#/n}]", False),
        ("jsonpath", "$inputs.list", "$[?@.id == {$inputs.list#/1/id}]", True),
        ("regex", "$response.body#/name", "^{$inputs.name}$", False),
        ("regex", "$inputs.name", "^{$inputs.name}$", True),
        ("regex", "$inputs.name", "{$inputs.missing}", False),
        ("xpath", "$response.body", "/shop/a", False),
        ("jsonpath", "$response.body", "$.nothing", False),
        ("jsonpath", "$response.body#/missing", "$", False),
        ("jsonpath", "$response.body#/none", "$", False),
    ],
)
def test_evaluates_regex_and_jsonpath_criteria_on_their_context(
    kind: str, context: str, condition: str, *, is_met: bool
) -> None:
    assert parse_criterion(condition, kind, context).evaluate(CONTEXT) is is_met


XML = Context(
    response=Response(200, {"content-type": "application/xml"}, b"<r><a n='1' empty=''>x</a></r>")
)


@pytest.mark.parametrize(
    ("condition", "version", "is_met"),
    [
        ("/r/a", "xpath-31", True),
        ("/r/b", "xpath-31", False),
        ("count(/r/a) > 0", "xpath-10", True),
        ("count(/r/b)", "xpath-20", False),
        ("/r/a/text() = 'x'", "xpath-30", True),
        ("string(/r/b)", "", False),
        ("/r/a/@n", "", True),
        ("/r/a/@empty", "", True),
        ("/r/a/@empty", "xpath-10", True),
        ("number(/r/a)", "", False),
        ("number(/r/b)", "xpath-10", False),
        ("(1, 2)", "xpath-20", False),
        ("1 div count(/r/b)", "xpath-31", False),
    ],
)
def test_evaluates_xpath_criteria_by_the_effective_boolean_value(
    condition: str, version: str, *, is_met: bool
) -> None:
    criterion = parse_criterion(condition, "xpath", "$response.body", version)
    assert criterion.evaluate(XML) is is_met


def test_an_xml_document_type_is_never_expanded() -> None:
    bomb = b'<!DOCTYPE r [<!ENTITY a "x">]><r>&a;</r>'
    context = Context(response=Response(200, {"content-type": "text/xml"}, bomb))
    assert parse_criterion("/r", "xpath", "$response.body").evaluate(context) is False


@pytest.mark.parametrize(
    ("condition", "kind", "context", "message"),
    [
        ("$statusCode = 200", "simple", "", "before '= 200'"),
        ("$statusCode ==", "simple", "", "at its end"),
        ("($statusCode == 200", "simple", "", "at its end"),
        ("$statusCode == 200 201", "simple", "", "before '201'"),
        ('$response.body == "x"', "simple", "", "single quotes"),
        ("$wrong.x == 1", "simple", "", "is not an expression"),
        ("$message.payload == 1", "simple", "", "AsyncAPI"),
        ("(" * 100 + "1" + ")" * 100, "simple", "", "too deeply"),
        ("^a", "regex", "", "needs a context"),
        ("(", "regex", "$response.body", "is not a regular expression"),
        (r"a\Z", "regex", "$response.body", "is not a regular expression of ECMA-262"),
        ("(?P=x)", "regex", "$response.body", "is not a regular expression of ECMA-262"),
        ("$[", "jsonpath", "$response.body", "is not a JSONPath of RFC 9535"),
        ("$.name == 'x'", "jsonpath", "$response.body", "is not a JSONPath of RFC 9535"),
        ("/r[", "xpath", "$response.body", "is not an XPath"),
    ],
)
def test_rejects_an_invalid_criterion(
    condition: str, kind: str, context: str, message: str
) -> None:
    with pytest.raises(ProbeError) as error:
        parse_criterion(condition, kind, context)
    assert message in str(error.value)


def test_interpolation_keeps_the_types_of_values() -> None:
    template = {
        "id": "$steps.make.outputs.id",
        "text": "no {$inputs.n} of {$inputs.name}",
        "n": [1],
    }
    values = parse_template(template).evaluate(CONTEXT)
    assert values == {"id": 5, "text": "no 3 of ANA", "n": [1]}
    assert parse_expression("$response.body").evaluate(CONTEXT)["n"] == 3


@pytest.mark.parametrize("literal", ["$5.00", "$", "$inputs", "{$5}", "{x}", "$$", "$statusCodes"])
def test_a_dollar_sign_that_begins_no_expression_is_literal(literal: str) -> None:
    assert parse_template([literal]).evaluate(CONTEXT) == [literal]


def test_embeds_objects_as_json_and_keeps_the_braces_of_a_text() -> None:
    template = parse_template('{"all": {$inputs.list}, "n": "{$inputs.n}"}')
    assert template.evaluate(CONTEXT) == '{"all": [{"id": 1}, {"id": 2}], "n": "3"}'


def test_leaves_out_members_without_a_value_and_refuses_to_embed_them() -> None:
    template = parse_template({"a": "$inputs.missing", "b": [{"c": "$inputs.missing"}]})
    assert template.evaluate(CONTEXT) == {"b": [{}]}
    assert parse_template("$inputs.missing").evaluate(CONTEXT) is UNDEFINED
    with pytest.raises(StepError, match=r"\$inputs.missing has no value"):
        parse_template("a {$inputs.missing}").evaluate(CONTEXT)
