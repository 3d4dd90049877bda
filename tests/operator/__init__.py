"""Tests of the operator on a cluster: scale, resilience and validation."""
