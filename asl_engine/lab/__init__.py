"""Past executions at the desk: brought home from AWS, forked, compared."""
