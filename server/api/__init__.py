"""Every door of the main port: the table of routes, the handlers behind it, their messages.

May import every room but `app`, `announce` and `cli`.
"""
