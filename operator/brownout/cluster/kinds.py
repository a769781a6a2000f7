"""Every kind Brownout touches: what it is called and where it lives."""

from dataclasses import dataclass

from brownout.api.base import API_VERSION


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind, and its place in the API."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The URL path of the collection or object."""
        root = "/api/" if "/" not in self.api_version else "/apis/"
        parts = [root + self.api_version]
        if self.namespaced and namespace:
            parts.append(f"namespaces/{namespace}")
        parts.append(self.plural)
        parts.extend(part for part in (name, subresource) if part)
        return "/".join(parts)

    @property
    def group_path(self) -> str:
        """The URL path of the list of what its group and version hold."""
        return ("/apis/" if "/" in self.api_version else "/api/") + self.api_version


POLICY = Kind(API_VERSION, "DegradationPolicy", "degradationpolicies")
SOURCE = Kind(API_VERSION, "PrometheusSource", "prometheussources", namespaced=False)
DEPLOYMENT = Kind("apps/v1", "Deployment", "deployments")
STATEFUL_SET = Kind("apps/v1", "StatefulSet", "statefulsets")
CRON_JOB = Kind("batch/v1", "CronJob", "cronjobs")
JOB = Kind("batch/v1", "Job", "jobs")
CONFIG_MAP = Kind("v1", "ConfigMap", "configmaps")
FEATURE_FLAG = Kind("core.openfeature.dev/v1beta1", "FeatureFlag", "featureflags")
AUTOSCALER = Kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
SCALED_OBJECT = Kind("keda.sh/v1alpha1", "ScaledObject", "scaledobjects")
VERTICAL_AUTOSCALER = Kind("autoscaling.k8s.io/v1", "VerticalPodAutoscaler", "verticalpodautoscalers")
SECRET = Kind("v1", "Secret", "secrets")
LEASE = Kind("coordination.k8s.io/v1", "Lease", "leases")
NAMESPACE = Kind("v1", "Namespace", "namespaces", namespaced=False)
EVENT = Kind("events.k8s.io/v1", "Event", "events")

TARGETS = {kind.kind: kind for kind in (DEPLOYMENT, STATEFUL_SET, CRON_JOB, JOB, CONFIG_MAP, FEATURE_FLAG)}
"""The kinds a lever may change, by name."""


def is_segment(name: str) -> bool:
    """Whether a name may stand in a URL path as it is: anything else could lead to another object, or to a list.

    The rule is the API server's (k8s.io/apimachinery, IsValidPathSegmentName).
    """
    return name not in ("", ".", "..") and "/" not in name and "%" not in name
