"""A scenario: a small story that teaches one thing about order, played in a world, with knobs.

Write one by deriving from `Scenario`:

    @attrs.frozen(kw_only=True)
    class TwoWorkers(Scenario):
        # Its docstring says what it teaches.
        name = "two-workers"
        messages: int = knob(100, "how many are sent", low=1, high=10_000)

        async def play(self, world):
            queue = await world.aio.create_queue("orders")
            ...

and run it with `run(TwoWorkers(messages=50), seed=3)`.  What a run of it
has shown are its findings: sentences made of what was seen, with its numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from queuestream.lab.scenarios.knobs import Knob, knobs_of, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from queuestream.lab.running import Run
    from queuestream.lab.simulation.world import World


class Scenario:
    """What all scenarios have; a subclass is an attrs class whose fields are knobs.

    Attributes:
        name: What it is called in a shell.
        scopes: What its order is measured by: `global`, `resource`, `group`, `shard`, `partition_key`; `key`,
            the key that messages are named after, whatever they went through; `key_again`, where repeated
            deliveries count, too; `key_done`, in the order in which the work was done (the messages were
            deleted); `key_meant`, held against the order in which producers first tried.
    """

    __slots__ = ()

    name: ClassVar[str] = ""
    scopes: ClassVar[tuple[str, ...]] = ("global",)

    def __attrs_post_init__(self) -> None:
        for name, value in read_settings(self.knobs(), self.settings()).items():
            object.__setattr__(self, name, value)  # as the knob says: 2 seconds are 2.0

    async def play(self, world: World) -> Mapping[str, Any] | None:
        """Let it happen; the world ends when this returns.

        Returns:
            What the actors know and the history does not, ready for JSON: how long they worked, for one.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what happens.")

    def world_arguments(self) -> dict[str, Any]:
        """What its world is made with besides the seed: `delivery`, `latency`."""
        return {}

    def findings(self, run: Run) -> Iterable[str]:
        """Two to five sentences that say what this run has shown."""
        return ()

    def figures(self, run: Run) -> dict[str, float]:
        """Numbers of its own, beside those that every run has; to be swept over."""
        return {}

    @classmethod
    def knobs(cls) -> dict[str, Knob]:
        """What can be turned, by name."""
        return knobs_of(cls)

    @classmethod
    def from_settings(cls, settings: Mapping[str, object]) -> Self:
        """The scenario with its knobs turned, from text or values.

        Raises:
            SettingError: There is no such knob, or it cannot stand there.
        """
        return cls(**read_settings(cls.knobs(), settings))

    @classmethod
    def teaches(cls) -> str:
        """The first paragraph of what it shows, in one line."""
        return " ".join((cls.__doc__ or "").partition("\n\n")[0].split())

    def settings(self) -> dict[str, Any]:
        """Where its knobs stand."""
        return {name: getattr(self, name) for name in self.knobs()}
