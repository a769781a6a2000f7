"""The shop's flag, read with the OpenFeature SDK and flagd's provider from the file its node writes."""

from __future__ import annotations

from openfeature import api
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.evaluation_context import EvaluationContext

from demo import sizes
from demo.shop import RecommendationsFor

FLAG = "recommendations"


def recommendations_from(flag_file: str) -> RecommendationsFor:
    """Follow `flag_file` (flagd's JSON), looked at every 0.1 s; the code default holds while it is unreadable."""
    provider = FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=flag_file, deadline_ms=100)
    api.set_provider(provider)
    client = api.get_client()

    def read(kind: str) -> int:
        context = EvaluationContext(attributes={"client": kind})
        return client.get_integer_value(FLAG, sizes.DEFAULT_RECOMMENDATIONS, context)

    return read
