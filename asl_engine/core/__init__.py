"""Pure: what has happened to an execution, and what follows from it."""
