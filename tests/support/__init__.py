"""Helpers that the packages of tests share."""
