"""What all faces share: configuration, definitions, inputs, and an engine put together from them."""
