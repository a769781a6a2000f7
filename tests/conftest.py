"""Settings for all unit tests."""

from hypothesis import HealthCheck, settings

# Machines that build and test are shared and slow at times: a deadline would fail for no fault of the code.
settings.register_profile("brownout", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("brownout")
