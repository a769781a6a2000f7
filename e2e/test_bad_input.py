"""Signals and sources that tell nothing, or nonsense: the reason is in the status, and no level moves for it."""

import time
from collections.abc import Callable
from typing import Any

from e2e.controlplane.handle import Controlplane
from e2e.fixtures.kubectl import Object
from e2e.fixtures.objects import config_map, level, pressure, written
from e2e.fixtures.operator import Operator
from e2e.fixtures.polling import until
from e2e.fixtures.relay import Relay
from e2e.fixtures.stage import Stage
from tests.observe.misbehaving import Behaviour, Exchange, Numbers, serving

NAN, INF = float("nan"), float("inf")


def policy_of(stage: Stage, case: str, query: str, **changes: Any) -> Object:
    """A policy of its own for each case: it writes the key of that name."""
    signal = {"name": "pressure", "query": query, **changes.pop("signal", {})}
    trimmed = level("trimmed", 1, written("lite", "flags", case, "lite"))
    return stage.policy(trimmed, name=case, signals=[signal], **changes)


def states(stage: Stage, cases: dict[str, Any]) -> dict[str, str]:
    """What the status of each case's policy says of its signal."""
    return {case: stage.status(case)["signals"][0]["state"] for case in cases}


def levels(stage: Stage, cases: dict[str, Any]) -> dict[str, str]:
    return {case: stage.level(case) for case in cases}


def ticks(running: Operator, source: str, times: int, seconds: float = 40) -> float:
    """Seconds until a source has been asked so many times more."""

    def asked() -> float:
        return running.metric(f'brownout_query_seconds_count{{source="{source}"}}')

    before, start = asked(), time.monotonic()
    until(lambda: asked() >= before + times, f"{times} ticks of source {source}", seconds)
    return time.monotonic() - start


def test_a_signal_that_stops_telling_while_degraded_moves_nothing(stage: Stage) -> None:
    cases = {
        "gone": "NoData",
        "several": "SeveralSeries",
        "nan-hold": "NoTraffic",
        "nan-clear": "NoTraffic",
        "infinite": "Infinite",
        "below-all": "Infinite",
    }
    gauge = {case: f"{stage.namespace}-{case}" for case in cases}
    for case in cases:
        stage.press(0, gauge[case])
    clear = {"nan-clear": {"onNoTraffic": "Clear"}}
    made = [policy_of(stage, case, pressure(gauge[case]), signal=clear.get(case, {})) for case in cases]
    running = stage.opens(config_map("flags"), *made)
    for case in cases:
        stage.press(5, gauge[case])
    for case in cases:
        stage.comes_to("trimmed", case)

    stage.gauges.remove("pressure", test=gauge["gone"])
    stage.gauges.set("pressure", 0, test=gauge["several"], another="series")
    for case, value in {"nan-hold": NAN, "nan-clear": NAN, "infinite": INF, "below-all": -INF}.items():
        stage.press(value, gauge[case])
    until(lambda: states(stage, cases) == cases, f"the states are {cases}", 40)
    stage.comes_to("Normal", "nan-clear")
    ticks(running, stage.source, 3)
    assert levels(stage, cases) == {**dict.fromkeys(cases, "trimmed"), "nan-clear": "Normal"}
    for case in set(cases) - {"nan-clear"}:
        assert stage.status(case)["why"].startswith("BLIND since "), case
        assert stage.condition("SignalsAvailable", case)["status"] == "False"
        assert stage.condition("Ready", case)["status"] == "True", "each signal gave a number once"
    assert stage.condition("SignalsAvailable", "nan-clear")["status"] == "True"
    assert set(stage.get("ConfigMap", "flags")["data"]) == set(cases) - {"nan-clear"}

    stage.gauges.remove("pressure", test=gauge["several"], another="series")
    for case in cases:
        stage.press(0, gauge[case])
    for case in cases:
        stage.comes_to("Normal", case)
        stage.owes_nothing(case)
    stage.everything_is_as_it_was()


def test_queries_that_can_never_give_one_number_say_so_and_disturb_nobody(stage: Stage) -> None:
    bad = {
        "unfinished": ("sum(", "BadQuery", "True"),
        "no-such-function": ("utter_nonsense(up)", "BadQuery", "True"),
        "forged": ('up),"__sig__","0","","") or label_replace(vector(9', "BadQuery", "True"),
        "text": ('"high"', "NotANumber", "False"),
        "range": ("up[1m]", "NotANumber", "False"),
        "nothing": ("no_such_metric", "NoData", "False"),
        "crowd": ('{__name__=~".+"}', "SeveralSeries", "False"),
    }
    good = {
        "vector": pressure(stage.namespace),
        "scalar": f"scalar({pressure(stage.namespace)})",
        "comment": f"{pressure(stage.namespace)} # closes nothing )",
    }
    stage.press(0)
    made = [policy_of(stage, case, query) for case, (query, _, _) in bad.items()]
    stage.kubectl.apply(*made)
    running = stage.opens(config_map("flags"), *(policy_of(stage, case, query) for case, query in good.items()))
    want = {case: (state, stalled) for case, (_, state, stalled) in bad.items()}

    def told() -> dict[str, tuple[str, str]]:
        stalled = {case: stage.condition("Stalled", case).get("status", "") for case in bad}
        return {case: (state, stalled[case]) for case, state in states(stage, bad).items()}

    until(lambda: all(stage.status(case).get("signals") for case in bad), "each bad policy was looked at", 40)
    until(lambda: told() == want, f"each says {want}", 40)
    assert levels(stage, bad) == dict.fromkeys(bad, "Normal")
    assert {stage.condition("Ready", case)["status"] for case in bad} == {"False"}
    assert "parse error" in stage.condition("Stalled", "unfinished")["message"]

    for case in good:
        stage.degrades(name=case)
    elapsed = ticks(running, stage.source, 4)
    assert elapsed < 15, f"four ticks of one second took {elapsed:.1f} s"
    assert running.page("/readyz")[0] == 200
    stage.recovers(*good)
    assert levels(stage, bad) == dict.fromkeys(bad, "Normal")
    stage.everything_is_as_it_was()


def test_a_source_that_goes_down_while_degraded_moves_nothing_and_says_blind(
    stage: Stage, controlplane: Controlplane, relay: Callable[[str], Relay], add_source: Callable[..., str]
) -> None:
    way = relay(controlplane.prometheus_url)
    far = add_source("far", way.url, timeout="1s")
    stage.press(0, f"{stage.namespace}-calm")
    running = stage.opens(
        config_map("flags"),
        policy_of(stage, "held", pressure(stage.namespace), sourceRef={"name": far}),
        policy_of(stage, "calm", pressure(f"{stage.namespace}-calm"), sourceRef={"name": far}),
        policy_of(stage, "other", pressure(stage.namespace)),
    )
    stage.degrades(name="held")
    stage.comes_to("trimmed", "other")
    held = stage.pictures()
    way.cut()
    until(lambda: stage.condition("SignalsAvailable", "held")["reason"] == "SourceDown", "it is blind", 40)
    until(lambda: stage.status("held")["why"].startswith("BLIND since "), "and says so", 40)
    assert f"source {far}" in stage.status("held")["why"]
    stage.press(9, f"{stage.namespace}-calm")
    ticks(running, stage.source, 4)
    moved = {"held": "trimmed", "calm": "Normal", "other": "trimmed"}
    assert levels(stage, moved) == moved
    stage.everything_is_as(held)
    assert running.page("/readyz")[0] == 200, "one tenant's source never makes the operator unready"
    assert {each["regarding"]["name"] for each in stage.events("SignalsLost")} == {"held", "calm"}
    stage.press(0)
    stage.comes_to("Normal", "other")
    assert stage.level("held") == "trimmed"
    shown = stage.kubectl.run("get", "dgp", "held")
    assert "BLIND since" in shown
    assert "0/1" in shown

    stage.gauges.set_and_wait("pressure", 0, test=f"{stage.namespace}-calm")
    way.mend()
    stage.recovers("held", "other")
    until(lambda: len(stage.events("SignalsBack")) == 2, "both say that they see again", 40)
    stage.everything_is_as_it_was()


def test_a_source_that_is_missing_or_goes_is_said_and_one_that_comes_is_used(
    stage: Stage, controlplane: Controlplane, add_source: Callable[..., str]
) -> None:
    later = f"{stage.namespace}-later"
    stage.press(5)
    orphan = policy_of(stage, "shop", pressure(stage.namespace), sourceRef={"name": later})
    stage.kubectl.apply(config_map("flags"), orphan)
    running = stage.start()
    until(lambda: stage.condition("SignalsAvailable").get("status") == "False", "the source is missed", 40)
    assert stage.condition("Ready")["reason"] == "SignalsNotSeen"
    assert f"no PrometheusSource named {later}" in stage.condition("SignalsAvailable")["message"]
    assert (stage.level(), running.page("/readyz")[0]) == ("Normal", 200)
    assert add_source("later", controlplane.prometheus_url) == later
    stage.comes_to("trimmed")
    stage.kubectl.wait("promsrc", later, "condition=Ready")

    stage.kubectl.run("delete", "promsrc", later)
    until(lambda: stage.status()["why"].startswith("BLIND since "), "it is blind", 40)
    stage.press(0)
    assert (stage.level(), stage.get("ConfigMap", "flags")["data"]) == ("trimmed", {"shop": "lite"})
    assert add_source("later", controlplane.prometheus_url) == later
    stage.recovers()
    assert "data" not in stage.get("ConfigMap", "flags")


BAD: dict[str, tuple[Behaviour, str]] = {
    "unprocessable": (lambda it: it.error(422, "execution", "many-to-many matching"), "BadQuery"),
    "broken": (lambda it: it.send(503, b"upstream connect error", "text/plain"), "SourceDown"),
    "error": (lambda it: it.error(500, "internal", "panic"), "SourceDown"),
    "dripping": (lambda it: it.drip(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"status"'), "TimedOut"),
    "hanging": (lambda it: it.hang(), "TimedOut"),
    "resetting": (lambda it: it.reset(), "SourceDown"),
    "page": (lambda it: it.send(200, b"<html><body>Log in</body></html>", "text/html"), "BadAnswer"),
    "elsewhere": (lambda it: it.send(302, b"", Location=f"{it.path}/elsewhere"), "SourceDown"),
    "locked": (lambda it: it.send(401, b"", "text/plain"), "SourceDown"),
    "lost": (lambda it: it.send(404, b"404 page not found", "text/plain"), "SourceDown"),
    "empty": (lambda it: it.send(200, b""), "BadAnswer"),
    "other-json": (lambda it: it.send_json({"hello": "world"}), "BadAnswer"),
    "flood": (lambda it: it.send(200, b'{"status":"success","x":"' + b"x" * 30_000_000 + b'"}'), "TooLarge"),
}


class Sources:
    """One server, a source below each path; each answers well until it is spoilt."""

    def __init__(self) -> None:
        self.spoilt = False
        self.numbers = Numbers()

    def __call__(self, exchange: Exchange) -> None:
        case = exchange.path.split("/")[1]
        if self.spoilt:
            BAD[case][0](exchange)
        else:
            self.numbers(exchange)

    def say(self, value: str) -> None:
        self.numbers.values = {f"load_of_{case.replace('-', '_')}": value for case in BAD}


def test_a_source_that_answers_nonsense_moves_nothing_and_its_reason_is_in_the_status(
    stage: Stage, add_source: Callable[..., str]
) -> None:
    sources = Sources()
    sources.say("0")
    with serving(sources) as server:
        made = []
        for case in BAD:
            name = add_source(case, f"{server.url}/{case}", timeout="1s", maxConnections=2)
            made.append(policy_of(stage, case, f"load_of_{case.replace('-', '_')}", sourceRef={"name": name}))
        running = stage.opens(config_map("flags"), stage.policy(level("trimmed", 1)), *made)
        sources.say("5")
        for case in BAD:
            stage.comes_to("trimmed", case)
        held = stage.pictures()

        sources.spoilt = True
        want = {case: state for case, (_, state) in BAD.items()}
        until(lambda: states(stage, BAD) == want, f"the states are {want}", 40)
        elapsed = ticks(running, stage.source, 4)
        assert elapsed < 15, f"four ticks of one second took {elapsed:.1f} s beside bad sources"
        assert levels(stage, BAD) == dict.fromkeys(BAD, "trimmed")
        assert {stage.status(case)["why"][:5] for case in BAD} == {"BLIND"}
        stage.everything_is_as(held)
        assert running.page("/readyz")[0] == 200
        assert running.metric("brownout_pass_failures_total") == 0

        sources.say("0")
        sources.spoilt = False
        for case in BAD:
            stage.comes_to("Normal", case)
            stage.owes_nothing(case)
        stage.everything_is_as_it_was()
