"""Measurements that back the figures of the documentation. Not part of the wheel."""
