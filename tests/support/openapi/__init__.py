"""Support for the tests of the contracts."""
