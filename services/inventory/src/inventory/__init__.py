"""The inventory service: which client bought which product, many to many."""
