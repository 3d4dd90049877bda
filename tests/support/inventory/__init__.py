"""Support for the tests of the inventory service."""
