"""Tests of the operator on a cluster."""
