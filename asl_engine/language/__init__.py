"""Pure: from the text of a definition to a state machine, or to findings."""
