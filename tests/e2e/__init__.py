"""End-to-end tests of the charts on a real cluster."""
