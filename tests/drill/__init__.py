"""Fault injection in a release, and a check of its monitors and alerts."""
