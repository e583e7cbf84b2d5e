"""The debugger's commands: a line, an answer, wherever the one comes from and the other goes to."""
