"""A large school, many cameras, a long run: ``python -m benchmarks.load PART``, one module a part."""
