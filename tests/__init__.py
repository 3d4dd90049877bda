"""Tests of the whole system, and the tools that run them."""
