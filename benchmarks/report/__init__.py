"""Results as a table and a plot, and the targets of the table."""
