"""The operator: it schedules monitors, counts their runs, and tells how the system is."""
