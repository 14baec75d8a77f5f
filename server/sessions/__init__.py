"""Sessions: frames and options in, results and notices out, from the offer to the final result.

May import `recordings`, `http` and the floors below; not `publisher`. Knows no door.
"""
