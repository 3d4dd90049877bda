"""gunicorn worker and its CPU affinity; only `gunicorn.conf.py` imports this package."""
