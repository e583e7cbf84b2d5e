"""The executions of distributed Map states."""
