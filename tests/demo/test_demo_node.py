"""What runs for which pods, and the flag file that the real OpenFeature client reads."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openfeature import api

from demo import sizes
from demo.children import Children
from demo.flags import recommendations_from
from demo.node import Node, programs


def pod(uid: str, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "metadata": {"uid": uid},
        "spec": {"containers": [{"args": ["worker", "reports", "0.5", "0.5", "0"]}]},
        "status": {"phase": "Running"},
    }
    for section, values in changes.items():
        made[section] = {**made[section], **values}
    return made


@pytest.mark.parametrize(
    ("pods", "uids"),
    [
        pytest.param([pod("a"), pod("b")], {"a", "b"}, id="each pod has its process"),
        pytest.param([pod("a", status={"phase": "Pending"})], {"a"}, id="a new pod runs before it is ready"),
        pytest.param([pod("a", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})], set(), id="a going pod ends"),
        pytest.param([pod("a", status={"phase": "Failed"})], set(), id="a failed pod does not run"),
        pytest.param([pod("a", status={"phase": "Succeeded"})], {"a"}, id="a job that kwok completed ends by itself"),
    ],
)
def test_programs(pods: list[dict[str, Any]], uids: set[str]) -> None:
    assert programs(pods).keys() == uids


def feature_flag(variant: str, targeting: bool) -> dict[str, Any]:
    flag: dict[str, Any] = {
        "state": "ENABLED",
        "variants": {"full": 12, "lite": 4, "off": 0},
        "defaultVariant": variant,
    }
    if targeting:
        flag["targeting"] = {"if": [{"==": [{"var": "client"}, "app"]}, "lite"]}
    return {"spec": {"flagSpec": {"flags": {"recommendations": flag}}}}


def soon(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


def test_the_shop_reads_its_flag_as_the_operator_leaves_it(tmp_path: Path) -> None:
    node = Node("shop", Children(tmp_path / "logs"), tmp_path)
    node.write_flag(feature_flag("full", targeting=True))
    read = recommendations_from(str(node.flag_file))
    try:
        assert soon(lambda: (read("web"), read("app")) == (12, 4)), "the targeting rule serves the app"
        node.write_flag(feature_flag("off", targeting=False))
        assert soon(lambda: (read("web"), read("app")) == (0, 0)), "no targeting: off for everybody"
        node.write_flag(feature_flag("full", targeting=True))
        assert soon(lambda: (read("web"), read("app")) == (12, 4)), "given back"
    finally:
        api.shutdown()
        node.close()


def test_the_default_of_the_code_holds_while_the_flag_is_disabled(tmp_path: Path) -> None:
    file = tmp_path / "flags.json"
    disabled = feature_flag("off", targeting=False)["spec"]["flagSpec"]
    disabled["flags"]["recommendations"]["state"] = "DISABLED"
    file.write_text(json.dumps(disabled))
    read = recommendations_from(str(file))
    try:
        assert soon(lambda: read("web") == sizes.DEFAULT_RECOMMENDATIONS)
    finally:
        api.shutdown()
