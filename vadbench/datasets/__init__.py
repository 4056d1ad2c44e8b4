"""Readers of data sets, one file each, behind `Dataset` and `Clip`."""
