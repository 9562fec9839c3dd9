"""The REST API: a few lines a view, everything else is a service's work."""
