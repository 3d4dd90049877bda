"""The command `synthetic new`: first journeys from OpenAPI contracts."""
