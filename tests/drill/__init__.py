"""Fault injection in a release: monitors and alerts must report each fault."""
