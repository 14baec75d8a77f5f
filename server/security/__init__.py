"""Secrets and identities: tokens, keys, certificates, sealed embeddings, names of origins.

May import `tasks` and `backoff`; not `media`. What applies them to requests is in `http`.
"""
