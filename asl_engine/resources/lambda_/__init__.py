"""Lambda functions as tasks, local and real."""
