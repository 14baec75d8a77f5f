"""Nodes on the machines of a Ray cluster: `kinecast cluster`, with the extra `kinecast[ray]`.

- `keeper` is an actor for each node, which has it as a child; no Ray is on the way of media;
- `registry_actor` is the registry;
- `control` starts, counts and ends them.

Nothing here is imported by a server that has no part in it.
"""
