"""What every request passes before its handler: connections, origins, tokens, scopes, limits.

May import `config`, `broadcast` and the floors below; knows no session and no handler.
"""
