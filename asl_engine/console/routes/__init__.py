"""What the console answers: one module for each group of routes, and a table that names them all."""
