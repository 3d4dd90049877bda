"""Requests to the servers: load generator, pgbench, conformance checks."""
