"""Requests to the servers: load generator, in-process requests, pgbench, conformance checks."""
