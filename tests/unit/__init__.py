"""Unit tests of the tools in this package, and small runs of them."""
