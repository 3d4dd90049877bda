"""Contract-driven operations: specification, routing, validation of parameters and bodies."""
