"""Programs that print figures and ratios, each from one run."""
