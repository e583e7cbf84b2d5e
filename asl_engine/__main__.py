"""``python -m asl_engine`` is the command ``asl``."""

from asl_engine.cli import main

if __name__ == "__main__":
    main()
