"""Settings for every test: Hypothesis prints what reproduces a failure and does not shrink for minutes."""

from hypothesis import Phase, settings

settings.register_profile(
    "leadlight", deadline=None, print_blob=True, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
settings.load_profile("leadlight")
