"""The document of the API held against the server by Schemathesis.

``python -m tests.openapi``; the tests do a short form of it.
"""
