"""That no regular expression takes longer than its input is long.

``found.py`` reads every pattern out of the program's text, with how it is used;
``hostile.py`` makes inputs out of the pattern's own letters; ``__main__.py`` times them.
"""
