"""Helpers of the load's tests."""
