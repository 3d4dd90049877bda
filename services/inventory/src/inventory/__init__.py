"""The inventory service: purchases of products by clients."""
