"""What an execution did, state by state: its log read as visits of states, and the outline of their tree.

What it is not: a picture.  What is told of a state, and in which colours, is up to whoever shows it.
"""
