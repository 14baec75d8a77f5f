"""Who may do what, from where and how much of it: what every request passes before its handler."""
