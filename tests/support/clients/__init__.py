"""Support for the tests of the clients service."""
