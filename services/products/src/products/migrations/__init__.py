"""Migrations of the products database."""
