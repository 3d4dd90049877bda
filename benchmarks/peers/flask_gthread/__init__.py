"""Flask with checks written by hand and the ORM, on threads."""
