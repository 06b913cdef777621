"""Recorded calls counted again: under the rules as they are, and as they might be.

``lines`` reads the access log into attempts in the order they were made, ``books``
counts them as the live counters do, ``ledger`` keeps who was refused, ``report``
tells it.
"""
