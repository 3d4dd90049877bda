"""Developer tools for the Helm charts."""
