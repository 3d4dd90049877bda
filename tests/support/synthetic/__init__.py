"""Test doubles for the probe and the operator."""
