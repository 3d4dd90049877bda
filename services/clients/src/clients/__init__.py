"""The clients service: clients and their addresses, one to many."""
