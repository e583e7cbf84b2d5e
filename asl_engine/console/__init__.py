"""The console: executions, state machines and waiting tasks in a browser, live, beside the API of ``asl serve``.

``mount`` is what the server is given; it imports the rest when the first page is asked for.  ``routes`` answer
with JSON what ``views`` and ``lab`` know, and pass on what changes anything to the operations of the API.
``live`` tells pages what has happened, ``guard`` decides who may ask.  The pages themselves are in ``static``.
"""
