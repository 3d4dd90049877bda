"""The history of the database of inventory."""
