"""Coverage-guided fuzzing, by hand: it needs ``pip install -e '.[dev,fuzz]'``."""
