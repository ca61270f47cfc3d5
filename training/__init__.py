"""Feature table to bundle: split, fit, calibrate, evaluate, track."""
