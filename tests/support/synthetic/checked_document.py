"""An Arazzo document without mistakes, its contract, and copies with a small change."""

from pathlib import Path

ARAZZO = """\
arazzo: 1.1.0
info: {title: Orders, version: '1'}
sourceDescriptions:
  - {name: shop, url: shop.yaml, type: openapi}
workflows:
  - workflowId: order
    dependsOn: [prepare]
    inputs:
      type: object
      properties:
        name: {type: string, default: Ana}
    steps:
      - stepId: create
        operationId: createOrder
        parameters:
          - {name: dry, in: query, value: true}
          - {reference: $components.parameters.trace}
        requestBody:
          contentType: application/json
          payload: {name: $inputs.name, amount: 1, kind: small}
          replacements: [{target: /note, value: x}]
        successCriteria:
          - {condition: $statusCode == 201}
          - {condition: $response.header.X-Total != 'none'}
          - {condition: '^[0-9]+$', context: $response.body#/id, type: regex}
        onFailure:
          - {name: again, type: retry, retryAfter: 1, retryLimit: 2}
        outputs:
          id: $response.body#/id
      - stepId: read
        operationPath: '{$sourceDescriptions.shop.url}#/paths/~1orders~1{id}/get'
        parameters:
          - {name: id, in: path, value: $steps.create.outputs.id}
        successCriteria:
          - {condition: '$[?@.id]', context: $response.body, type: jsonpath}
          - {condition: //id, context: $response.body, type: xpath}
          - {condition: ($statusCode == 200 && $response.body#/kind == 'small')}
        onSuccess:
          - {name: done, type: end, criteria: [{condition: $statusCode == 200}]}
      - stepId: last
        operationId: ping
    outputs:
      id: $steps.create.outputs.id
      first: {context: $steps.create.outputs.id, selector: $, type: jsonpath}
  - workflowId: prepare
    steps:
      - stepId: ping
        operationId: ping
components:
  parameters:
    trace: {name: X-Trace, in: header, value: a}
"""
CONTRACT = """\
openapi: 3.1.0
info: {title: Shop, version: '1'}
servers: [{url: 'https://{region}.example.com', variables: {region: {default: eu}}}]
security: [{key: []}]
paths:
  /orders:
    post:
      operationId: createOrder
      parameters:
        - {name: dry, in: query, schema: {type: boolean}}
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/NewOrder'}}}
      responses:
        '201':
          description: made
          headers: {X-Total: {schema: {type: string}}}
          content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}
  /orders/{id}:
    get:
      operationId: getOrder
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        '200': {content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}
  /ping:
    get: {operationId: ping, responses: {'200': {description: d}}}
components:
  securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}
  schemas:
    NewOrder:
      type: object
      additionalProperties: false
      required: [name, amount]
      properties:
        name: {type: string}
        amount: {type: integer}
        kind: {enum: [small, large]}
        day: {type: string, format: date}
        note: {type: string}
    Order:
      type: object
      properties: {id: {type: string}, kind: {type: string}, items: {type: array, items: {}}}
"""


def changed(old: str, new: str) -> dict[str, str]:
    """Return the document and its contract by file name, with one text replaced."""
    assert old in ARAZZO + CONTRACT, old
    contract = CONTRACT if old in ARAZZO else CONTRACT.replace(old, new, 1)
    return {"order.arazzo.yaml": ARAZZO.replace(old, new, 1), "shop.yaml": contract}


def write_changed(folder: Path, old: str, new: str) -> Path:
    """Write the document and its contract with one text replaced; return the document's path."""
    for name, text in changed(old, new).items():
        (folder / name).write_text(text)
    return folder / "order.arazzo.yaml"
