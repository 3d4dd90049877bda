"""Contract-driven operations: specification, routing, parameter and body validation."""
