"""Choosing settings on training clips alone: held-out normal clips, with synthetic anomalies in them."""
