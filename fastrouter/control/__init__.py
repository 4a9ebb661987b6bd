"""What operators use: metrics and sessions, by HTTP on a port of its own (extra ``server``)."""
