"""Brownout: graceful degradation for Kubernetes."""
