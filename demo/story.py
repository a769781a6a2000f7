"""The story, chapter by chapter. Each chapter waits for what it tells; what does not happen ends the story."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from demo import sizes
from demo.fields import Fields, Verdict, compare, fields_of, generations, noted
from demo.scene import Line, Scene
from demo.stage import HERE, Stage
from demo.told import Check, Mark, Told
from demo.view import taken
from demo.waiting import until

PERSONS_FIELD = ("Deployment/thumbnailer", "/spec/replicas")
"""The one field that may end at another value than its original."""
PERSON_REPLICAS = 2
"""What the person in the story scales the thumbnailer to: neither the original 3 nor the 1 it is held at."""


class Story:
    """Tells the story on a stage; `tell` is called for each sentence."""

    def __init__(self, stage: Stage, scene: Scene, tell: Callable[[Line], None]) -> None:
        self._stage = stage
        self._scene = scene
        self._tell = tell
        self.told = Told(began=scene.began, lines=scene.lines)
        self._before: Fields = {}
        self._during: Fields = {}

    async def run(self) -> Told:
        """All chapters in order; raises NeverCameError when one does not happen."""
        for chapter in (
            self._calm,
            self._incident,
            self._worse,
            self._incident_over,
            self._operator_killed,
            self._blind,
            self._person,
            self._given_back,
            self._proof,
        ):
            await chapter()
        return self.told

    def broken(self, why: str) -> Told:
        """The story as far as it went, with the reason why it did not go on."""
        self._check(why, False)
        return self.told

    async def _calm(self) -> None:
        self._chapter("Two identical shops, the same customers at the same moments. Only one has a policy.")
        await until("both shops serve their customers", self._both_serve, 60)
        await asyncio.sleep(6)
        self._before = fields_of(await self._stage.objects())
        self._good("Both serve everybody. Recommendations use most of the database's time; batch uses some.")

    async def _both_serve(self) -> bool:
        return min(self._scene.goodput_of("shop"), self._scene.goodput_of("bare")) > 0.95

    async def _incident(self) -> None:
        self._chapter(f"The incident: in both shops the database becomes {sizes.SLOW_FACTOR:g} times slower.")
        await self._stage.slow_database(sizes.SLOW_FACTOR)
        self.told.sick = (time.time(), 0.0)
        self._mark("slow database")
        await until("the policy leaves Normal", lambda: self._is(lambda s: s.level != "Normal"), 40)
        self._mark(self._scene.level)
        self._tell_line("note", f"The policy goes to {self._scene.level}. In its own words: {self._scene.why}")
        await until("the incident takes the bare shop down", lambda: self._is(lambda s: s.lately("bare") < 0.1), 40)
        self._sick(
            f"The bare shop is down: customers wait {sizes.ATTEMPT_TIMEOUT:.0f} s, hang up and ask again, "
            f"up to {sizes.RETRIES + 1} times, and it still works for those who have gone."
        )
        await asyncio.sleep(3)
        ours = self._scene.lately("shop")
        if self._scene.level == "trimmed" and ours > 0.8:
            self._good(f"With fewer recommendations and thumbnails the other one serves {ours:.0%}: enough for now.")

    async def _worse(self) -> None:
        self._chapter(f"It gets worse: the database is {sizes.SLOWER_FACTOR:g} times slower now.")
        await self._stage.slow_database(sizes.SLOWER_FACTOR)
        self._mark("slower")
        await until("the policy goes to core-only", lambda: self._is(lambda s: s.level == "core-only"), 40)
        self._mark("core-only")
        self._tell_line("note", f"The policy goes to core-only. In its own words: {self._scene.why}")
        await until("batch and recommendations are off", self._all_taken, 20)
        self._during = fields_of(await self._stage.objects())
        await until("the status lists it all", lambda: self._is(lambda s: s.held >= 5), 10)
        for each in self._scene.policy.get("applied", []):
            self._tell_line("note", f"taken: {taken(each)}")
        await asyncio.sleep(4)

    async def _all_taken(self) -> bool:
        objects = {f"{each['kind']}/{each['metadata']['name']}": each["spec"] for each in await self._stage.objects()}
        flag = objects["FeatureFlag/shop"]["flagSpec"]["flags"]["recommendations"]
        batch = objects["Deployment/export"]["replicas"] + objects["Deployment/reports"]["replicas"]
        return bool(flag["defaultVariant"] == "off" and batch == 0 and objects["CronJob/catalogue"]["suspend"])

    async def _incident_over(self) -> None:
        await self._stage.slow_database(1.0)
        self.told.sick = (self.told.sick[0], time.time())
        self._mark("database well")
        self._chapter("The database is well again.")
        await until("our shop serves again", lambda: self._is(lambda s: s.goodput_of("shop") > 0.95), 30)
        await asyncio.sleep(5)
        bare, ours = self._scene.lately("bare"), self._scene.lately("shop")
        self._check(f"with a policy the shop serves again (now {ours:.0%})", ours > 0.9)
        self._check(f"without one it stays down: its retry storm feeds itself (now {bare:.0%})", bare < 0.1)

    async def _operator_killed(self) -> None:
        self._chapter("Can it be trusted? First: the operator is killed with SIGKILL while it holds all this.")
        before = generations(await self._stage.objects())
        self._stage.operator.kill()
        self._mark("operator killed")
        await asyncio.sleep(3)
        self._check("nothing moved while the operator was dead", before == generations(await self._stage.objects()))
        self._stage.operator.start()
        await self._stage.operator.until_ready()
        self._mark("and back")
        await asyncio.sleep(3)
        self._check("nothing moved when it came back", before == generations(await self._stage.objects()))

    async def _blind(self) -> None:
        self._chapter("Second: Prometheus is killed. No data is not bad news and not good news.")
        before = generations(await self._stage.objects())
        began = time.time()
        await asyncio.to_thread(self._stage.plane.stop_prometheus)
        await until("the policy says BLIND", lambda: self._is(lambda s: s.blind), 30)
        self._tell_line("bad", self._scene.why)
        await asyncio.sleep(5)
        self._check("nothing moved while it was blind", before == generations(await self._stage.objects()))
        await asyncio.to_thread(self._stage.plane.start_prometheus)
        self.told.blind = (began, time.time())
        await until("the policy sees again", lambda: self._is(lambda s: s.fresh and not s.blind), 30)
        self._good("Prometheus is back, and the policy sees again. It still holds what it held.")

    async def _person(self) -> None:
        command = ("scale", "deployment/thumbnailer", f"--replicas={PERSON_REPLICAS}", "-n", "shop")
        self._chapter(f"Third: a person wants thumbnails now: kubectl {' '.join(command)}")
        await self._stage.kubectl(*command)
        self._mark("kubectl scale")
        await until("status.released says so", lambda: self._is(lambda s: bool(s.policy.get("released"))), 20)
        listed = [
            (f"{each['target']['kind']}/{each['target']['name']}", each["pointer"])
            for each in self._scene.policy["released"]
        ]
        self._check(
            f"a human always wins: status.released lists {PERSONS_FIELD[0]} {PERSONS_FIELD[1]}, and nothing else",
            listed == [PERSONS_FIELD],
        )

    async def _given_back(self) -> None:
        self._chapter("The shop is well: after a while everything comes back, in waves, one level at a time.")
        await self._back_from("core-only", 80)
        await self._back_from("trimmed", 60)
        await until("nothing is held any more", lambda: self._is(lambda s: s.held == 0), 30)
        self._mark("Normal")

    async def _back_from(self, level: str, seconds: float) -> None:
        """Tell each wave that comes back while the status goes from `level` to the next and holds still."""
        held = _values(await self._stage.policy())
        left = False

        async def done() -> bool:
            nonlocal held, left
            policy = await self._stage.policy()
            if policy["level"] != level and not left:
                left = True
                self._mark("giving back")
                self._tell_line("note", f"From {level} to {policy['level']}. In its own words: {_latest(policy)}")
            now = _values(policy)
            for key in sorted(held.keys() - now.keys()):
                self._good(f"given back: {key[0]} {key[1]}")
            for key in sorted(held.keys() & now.keys()):
                if held[key] != now[key]:
                    self._good(f"one step back: {key[0]} {key[1]} is {now[key]}")
            held = now
            return left and not policy.get("recovery", {}).get("givingBack", False)

        await until(f"{level} ends", done, seconds)

    async def _proof(self) -> None:
        self._chapter("Everything is given back. Is it really? And does the shop stay well with all of it?")
        await asyncio.sleep(12)
        after = fields_of(await self._stage.objects())
        self.told.rows = compare(self._before, self._during, after, {PERSONS_FIELD})
        self.told.compared = len(self._before.keys() | after.keys())
        self._check_fields(after)
        await self._owner_can_apply()
        bare, ours = self._scene.lately("bare"), self._scene.lately("shop")
        self._check(f"our shop stays well with everything switched on again (now {ours:.0%})", ours > 0.9)
        self._check(f"the bare shop is still down (now {bare:.0%})", bare < 0.1)

    def _check_fields(self, after: Fields) -> None:
        lost = [row for row in self.told.rows if row.verdict is Verdict.LOST]
        spec = [row for row in self.told.rows if not noted(row)]
        self._check(f"{len(spec)} values of their specs were changed, and none was lost", bool(spec) and not lost)
        theirs = after.get(PERSONS_FIELD)
        self._check(f"the person's {PERSON_REPLICAS} thumbnailers are still there", theirs == str(PERSON_REPLICAS))

    async def _owner_can_apply(self) -> None:
        """The owner's next server-side apply meets no conflict (the thumbnailer's replicas are the person's)."""
        said = await self._stage.kubectl(
            "apply", "--server-side", "--dry-run=server", "-n", "shop", "-f", HERE / "shop.yaml",
            "-l", "brownout.dev/criticality!=C3",
        )  # fmt: skip
        self._check("the owner's next server-side apply meets no conflict", "serverside-applied" in said)

    async def _is(self, true: Callable[[Scene], bool]) -> bool:
        return true(self._scene)

    def _chapter(self, text: str) -> None:
        self._scene.title = text
        self._tell_line("step", text)

    def _good(self, text: str) -> None:
        self._tell_line("good", text)

    def _sick(self, text: str) -> None:
        self._tell_line("sick", text)

    def _check(self, promise: str, kept: bool) -> None:
        self.told.checks.append(Check(promise, kept))
        self._tell_line("good" if kept else "bad", promise if kept else f"NOT SO: {promise}")

    def _tell_line(self, kind: str, text: str) -> None:
        line = Line(time.time(), text, kind)
        self._scene.lines.append(line)
        self._tell(line)

    def _mark(self, label: str) -> None:
        self.told.marks.append(Mark(time.time(), label))


def _values(policy: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """What is held, by object and pointer: our value."""
    return {
        (f"{each['target']['kind']}/{each['target']['name']}", each["pointer"]): each.get("applied", "(removed)")
        for each in policy.get("applied", [])
    }


def _latest(policy: Mapping[str, Any]) -> str:
    """Why the level changed last."""
    history: list[dict[str, str]] = policy.get("history", [])
    return max(history, key=lambda each: each["at"])["message"] if history else ""
