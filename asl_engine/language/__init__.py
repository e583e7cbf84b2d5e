"""Pure: turns the text of a definition into a state machine, or into findings."""
