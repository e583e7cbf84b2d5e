"""What the engine costs, beside what the machine allows and beside other engines: ``python -m benchmarks``."""
