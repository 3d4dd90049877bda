"""Load on clients with a streaming replica that fails and returns."""
