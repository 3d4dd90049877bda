"""Results as a table and a plot, and the targets that they are compared with."""
