"""Several media processes that are one server: `--nodes N` on one machine.

- `parent` binds the HTTP ports, starts the nodes, and starts again what dies; it holds
- the `registry`: which nodes are there, how loaded each is, and which one has which name;
- `member` is a node's end of it, and `placing` chooses where a session goes;
- `rollout` has a node end whose sessions go elsewhere, when `kinecast drain` asks for it;
- `link` is the way to another node: its HTTP, over a Unix socket in a directory of mode 0700,
  with who asks beside each request. Whoever can open that socket is one of us;
- `network` is what differs where nodes are on several machines: `tls_network` and `secure_port`
  let in those who have the cluster's secret, and nobody else.
- `feed` says what crosses there for viewers of another node's video.

Every node is a door. Which requests another one answers is said in `server.api.relay`.
May import `config`, `watchdog` and the floors below.
"""
