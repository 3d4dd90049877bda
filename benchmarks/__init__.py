"""Benchmarks of the clients service, and a comparison with other stacks."""
