"""Comparison of `synthetic probe` with Redocly Respect on Arazzo documents of others."""
