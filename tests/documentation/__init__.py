"""Tests of the documentation: commands, links, example changes and decision records."""
