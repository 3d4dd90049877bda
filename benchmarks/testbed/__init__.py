"""PostgreSQL, the servers that are compared, and the data that they share."""
