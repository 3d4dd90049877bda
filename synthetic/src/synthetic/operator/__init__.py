"""The operator: schedule monitors, count their runs, and publish their status."""
