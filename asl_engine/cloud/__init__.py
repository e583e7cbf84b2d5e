"""The same definitions on AWS Step Functions: deploying and exporting them, running them, working for them.

What it is: the adapter behind ``asl deploy``, ``asl export``, ``asl remote`` and ``asl workers``.  Everything
goes through boto3 (the extra ``aws``), which is imported when a command first needs it.  A deployment
*converges*: each step reads the current state, and writes only what differs from the wanted one.  So a
deployment may be interrupted anywhere, and is completed by running the same command again.

What it is not: a state file.  Names and tags tell what belongs to a deployment, and the endpoint of Step
Functions tells whose resources are meant: nothing anywhere else is touched.
"""
