"""The history of the database of auth."""
