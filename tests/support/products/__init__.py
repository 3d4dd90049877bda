"""Support for the tests of the products service."""
