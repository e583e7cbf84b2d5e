"""What an execution did: AWS's history followed to a log, a log read as visits of states, their outline as a tree.

What it is not: a picture.  What is told of a state, and in which colours, is up to whoever shows it.
"""
