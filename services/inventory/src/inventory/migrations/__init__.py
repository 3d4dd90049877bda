"""Migrations of the inventory database."""
