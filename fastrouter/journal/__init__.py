"""What the lossless lane remembers: a spool, a store behind it, and who is brought up to date."""
