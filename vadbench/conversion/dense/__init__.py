"""Score maps and frame scores in other formats: arrays, images, HDF5."""
