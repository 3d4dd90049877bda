"""The probe: replays one journey against a system and tells what it saw."""
