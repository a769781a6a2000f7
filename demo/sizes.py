"""The numbers of the two shops and their clients, all in one place.

Calm: 16 checkouts a second, each holding a connection for 0.3 s, take 4.8 of 12; batch takes about 3 more.
Storm: every checkout is tried 4 times, so the same customers ask for 19 of 12, for ever, until each
checkout costs less or fewer ask. tests/demo/test_storm.py proves both halves in virtual time.
"""

from __future__ import annotations

POOL_SIZE = 12
"""Database connections of one shop."""
MAX_WAITING = 200
"""Requests that may wait for a connection; the next one is answered 503 at once."""
CHECKOUT_SECONDS = 0.06
"""How long a checkout itself holds its connection."""
SECONDS_PER_RECOMMENDATION = 0.02
"""How much longer it holds it for each recommendation."""
DEFAULT_RECOMMENDATIONS = 12
"""The shop's own default when the flag cannot be read."""

ARRIVALS_PER_SECOND = 16.0
"""New customers; they come whether or not the shop answers (open loop)."""
ATTEMPT_TIMEOUT = 2.0
"""Seconds a client waits for one answer before it asks again."""
RETRIES = 3
"""How often a client asks again after the first attempt."""
RETRY_PAUSE = 0.3
"""Mean seconds between two attempts of a client."""
APP_SHARE = 0.1
"""Part of the customers who use the small-screen app: a targeting rule gives them fewer recommendations."""
SEED = 20
"""Of the arrivals: both shops get the same customers at the same moments."""

SLOW_FACTOR = 2.5
"""The incident: every query takes this many times as long. With a quarter of the recommendations the pool suffices."""
SLOWER_FACTOR = 6.0
"""The incident gets worse: only checkouts without recommendations and without batch fit into the pool."""
