"""Fault injection in a local system, and a check of the recorded history."""
