"""gunicorn worker; only `gunicorn.conf.py` imports this package."""
