"""What an execution did, for people to look at: a tree of states, a waterfall, marks on its graph, one HTML page.

``account`` reads it from a store once, with the children of its Map Runs; everything else here shows an account.
Rows of text are made of pieces with the styles of a terminal; who writes them decides whether they have colours.
"""
