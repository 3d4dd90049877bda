"""Handlers: each translates between HTTP and the domain, and is found by its operationId."""
