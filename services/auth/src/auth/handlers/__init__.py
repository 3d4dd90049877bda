"""Handlers of HTTP operations, resolved by operationId."""
