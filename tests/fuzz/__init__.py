"""Fuzz tests of the served contracts."""
