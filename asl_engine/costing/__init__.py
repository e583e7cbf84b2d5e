"""What executions cost on AWS, and where they head for its quotas: estimates from what a run did.

It knows no AWS account: prices come from a dated table (``prices.toml``), quantities from the logs of executions.
"""
