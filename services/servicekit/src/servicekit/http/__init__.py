"""HTTP layer: the WSGI bridge, the Flask application, responses and cross-cutting handlers."""
