"""The wire protocol, AWS JSON 1.0, without knowledge of Step Functions."""
