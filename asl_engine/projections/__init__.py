"""Pure: events and executions in the shapes that AWS gives them."""
