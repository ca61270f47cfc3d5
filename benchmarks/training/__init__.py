"""Measurements behind what is claimed of training."""
