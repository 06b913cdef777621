"""Weir's server: a chat platform over REST that holds itself to a table."""
