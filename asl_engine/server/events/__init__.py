"""The EventBridge API over HTTP: one module for each group of operations, at the endpoint of Step Functions'."""
