"""Coverage-guided attacks on what reads files from outside; ``python -m tests.fuzz`` says how."""
