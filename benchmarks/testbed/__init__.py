"""PostgreSQL, the compared servers, and the data that they share."""
