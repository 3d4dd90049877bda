"""Runs around Locust: recording, thresholds, reports, verification and cleanup."""
