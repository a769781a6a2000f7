"""What Prometheus says about the two shops: the only source of the demo's numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import aiohttp

SHOPS = ("shop", "bare")
"""The namespaces: with a policy, and without."""

QUERIES = {
    "came": "sum by (namespace) (rate(clients_came_total[5s]))",
    "served": "sum by (namespace) (rate(clients_served_total[5s]))",
    "attempts": "sum by (namespace) (rate(clients_attempts_total[5s]))",
    "p99": "histogram_quantile(0.99, sum by (namespace, le) (rate(clients_wait_seconds_bucket[5s])))",
    "waiting": "max by (namespace) (shop_pool_waiting)",
}
"""Per namespace: customers a second, served ones, requests, 99th percentile of their wait (s), queue length."""

Series: TypeAlias = Mapping[str, list[tuple[float, float]]]
"""By namespace: (UTC seconds, value)."""

_TIMEOUT = aiohttp.ClientTimeout(total=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """One shop at one moment; NaN where there is nothing to say."""

    came: float
    served: float
    attempts: float
    p99: float
    waiting: float

    @property
    def goodput(self) -> float:
        """The part of the customers that is served, from 0 to 1; NaN when nobody came."""
        return min(self.served / self.came, 1.0) if self.came else math.nan


class Prometheus:
    """Asks one Prometheus; raises aiohttp.ClientError or TimeoutError while it does not answer."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def numbers(self) -> dict[str, Numbers]:
        """Both shops now, by namespace."""
        values = {name: await self._instant(query) for name, query in QUERIES.items()}
        return {
            shop: Numbers(**{name: by_shop.get(shop, math.nan) for name, by_shop in values.items()}) for shop in SHOPS
        }

    async def history(self, query: str, start: float, end: float) -> Series:
        """A query each second between two moments (UTC seconds)."""
        result = await self._ask("query_range", query=query, start=str(start), end=str(end), step="1")
        return {
            each["metric"].get("namespace", ""): [(at, float(value)) for at, value in each["values"]] for each in result
        }

    async def _instant(self, query: str) -> dict[str, float]:
        result = await self._ask("query", query=query)
        return {each["metric"]["namespace"]: float(each["value"][1]) for each in result}

    async def _ask(self, what: str, **parameters: str) -> list[Any]:
        async with self._session.get(f"{self._url}/api/v1/{what}", params=parameters, timeout=_TIMEOUT) as answer:
            answer.raise_for_status()
            result: list[Any] = (await answer.json())["data"]["result"]
            return result
