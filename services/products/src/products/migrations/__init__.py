"""The history of the database of products."""
