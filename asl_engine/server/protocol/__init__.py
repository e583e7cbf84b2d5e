"""The wire protocol, AWS JSON 1.0: it knows nothing of Step Functions."""
