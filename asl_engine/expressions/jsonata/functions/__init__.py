"""The functions of JSONata, as tables."""
