"""Support for the tests of devstack."""
