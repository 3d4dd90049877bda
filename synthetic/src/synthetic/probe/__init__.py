"""The probe: replay one journey against a system and report the result."""
