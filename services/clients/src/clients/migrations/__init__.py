"""The history of the database of clients."""
