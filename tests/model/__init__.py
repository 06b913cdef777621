"""A model of an app's users, groups and queues beside the real server.

``python -m tests.model``; the tests do a short form of it.
"""
