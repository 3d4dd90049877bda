"""The same four operations, built the way that people build them; see the page of the benchmark."""
