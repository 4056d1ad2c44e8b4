"""Predictions in other formats, made submissions and back: AED text, arrays, images, COCO JSON, HDF5."""
