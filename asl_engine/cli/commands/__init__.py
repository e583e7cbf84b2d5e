"""The commands, one module each: ``command`` takes the options and returns the exit code."""
