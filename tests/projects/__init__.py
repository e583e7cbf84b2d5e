"""Projects as other tools make them, each with an order machine; the tests beside run them unchanged."""
