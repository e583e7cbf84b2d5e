"""The project as tools for agents: an MCP server over stdio.

A tool stands on the same functions as the command of its name.  It answers in compact JSON, with the next useful
step; nothing real is called unless a call says so, and no path leads out of the project.
"""
