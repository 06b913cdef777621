"""What is kept. One function is one transaction; when it returns, its write is on disk.

A limit that the store must hold is handed to it, so nothing here imports the rules.
"""
