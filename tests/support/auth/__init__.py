"""Support for the tests of the auth service."""
