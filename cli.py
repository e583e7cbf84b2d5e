"""The command line from a checkout: ``python cli.py run statemachines/order.json``."""

from asl_engine.cli import main

if __name__ == "__main__":
    main()
