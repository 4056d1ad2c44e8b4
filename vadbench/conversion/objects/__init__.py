"""Boxes and masks in other formats: AED text, CSV, COCO JSON, indexed PNG."""
