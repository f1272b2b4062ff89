"""Files in, one pool out."""
