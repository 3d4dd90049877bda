"""Migrations of the auth database."""
