"""The way to real AWS Step Functions, and back: deploy, export, and work for, the same definitions.

What it is: the adapter behind ``asl deploy``, ``asl export``, ``asl remote`` and ``asl workers``.  Everything
goes through boto3 (the extra ``aws``), which is imported when a command first needs it.  A deployment is
*converged*: each step reads what is there, and writes only where that differs from what is wanted, so that a
run may be interrupted anywhere and simply be made again.

What it is not: a state file.  What belongs to a deployment is found by its name and by its tags.
"""
