"""The types of resources that are made: a module for each service, all of them in ``table``.

Properties are those of the types in CloudFormation's User Guide; ``making`` has what the modules share.
"""
