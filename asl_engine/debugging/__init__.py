"""A debugger for state machines: stop, look, edit, go on, go back.

``session`` knows no user interface; the terminal and the Debug Adapter Protocol are two faces of it.
"""
