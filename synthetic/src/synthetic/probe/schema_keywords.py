"""Keywords of JSON Schema by what their values are."""

_ASSERTIONS = (
    "type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength "
    "minLength pattern maxItems minItems uniqueItems maxContains minContains maxProperties "
    "minProperties dependentRequired"
)
_SUBSCHEMAS = (
    "not if then else additionalProperties additionalItems items contains propertyNames "
    "unevaluatedItems unevaluatedProperties"
)
ASSERTIONS = frozenset(_ASSERTIONS.split())
SUBSCHEMAS = frozenset(_SUBSCHEMAS.split())
SUBSCHEMA_LISTS = frozenset(("allOf", "anyOf", "oneOf", "prefixItems", "items"))
SUBSCHEMA_MAPS = frozenset(("properties", "patternProperties", "dependentSchemas", "dependencies"))
IN_PLACE = frozenset(("allOf", "anyOf", "oneOf", "if", "then", "else", "dependentSchemas"))
