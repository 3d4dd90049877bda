"""Hundreds of simultaneous logins, and their effect on another client."""
