"""The drill: it breaks a release on purpose, and looks what the monitors and the alerts say."""
