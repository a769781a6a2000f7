"""Settings for all unit tests."""

import os

from hypothesis import HealthCheck, settings

# Machines that build and test are shared and slow at times: a deadline would fail for no fault of the code.
settings.register_profile("brownout", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("thorough", settings.get_profile("brownout"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "brownout"))
