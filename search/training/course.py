"""The way of a trial through its data: epochs, cut into stretches at whose ends it is judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SMALLEST_PART = 500
"""Validation images that a judgement within an epoch takes at least, where there are so many."""
_PART_SHARE = 0.3
"""Of the images trained on since the rung before: an image forward costs about a third of one trained on,
so that judging costs a tenth of the training that it judges."""


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Steps of one epoch that are trained in one go."""

    epoch: int
    """From 0."""
    first: int
    """The first step, from 0."""
    last: int
    """The step after the last one."""

    @property
    def n_steps(self) -> int:
        """Steps in it; none where all of them were trained before the trial was paused, and not evaluated."""
        return self.last - self.first


@dataclass(frozen=True, kw_only=True)
class Course:
    """What one trial trains on, and where it is judged: at the end of each epoch, and at rungs."""

    n_images: int
    """Training images, each of which is seen once an epoch."""
    batch_size: int
    epochs: int
    """At most."""
    judge_at: tuple[int, ...] = ()
    """Images seen at which the trial is judged besides, ascending: at the end of the step that reaches them."""

    @property
    def steps(self) -> int:
        """Steps in an epoch; the last one may be smaller than the others."""
        return -(-self.n_images // self.batch_size)

    def images_at(self, epoch: int, step: int) -> int:
        """Images seen after `step` steps of an epoch, counted from 0, and all epochs before it."""
        return epoch * self.n_images + min(step * self.batch_size, self.n_images)

    def epochs_at(self, images: int) -> float:
        """Epochs for images seen: a whole number (an int) at an epoch's end, else a fraction."""
        whole, rest = divmod(images, self.n_images)
        return whole if rest == 0 else round(images / self.n_images, 4)

    def stretches(self, images: int, *, is_judged: bool = True) -> Iterator[Stretch]:
        """What lies before a trial that has seen `images`, and was evaluated there or (`is_judged`) was not."""
        if images and not is_judged:
            yield from self._unjudged(images)
        begun, rest = divmod(images, self.n_images)
        first = -(-rest // self.batch_size)
        for epoch in range(begun, self.epochs):
            for last in self._ends(epoch):
                if last > first:
                    yield Stretch(epoch=epoch, first=first, last=last)
                    first = last
            first = 0

    def _unjudged(self, images: int) -> Iterator[Stretch]:
        """The end of a stretch, where `images` are one: all of it was trained, and its evaluation is missing."""
        epoch = (images - 1) // self.n_images
        step = -(-(images - epoch * self.n_images) // self.batch_size)
        if step in self._ends(epoch):
            yield Stretch(epoch=epoch, first=step, last=step)

    def part_at(self, images: int) -> int:
        """Validation images for a judgement within an epoch.

        They follow from the rungs alone, so that trials of all batch sizes are measured on the same.
        """
        reached = [0, *(rung for rung in self.judge_at if rung <= images)]
        length = reached[-1] - reached[-2] if len(reached) > 1 else 0
        return max(SMALLEST_PART, round(_PART_SHARE * length))

    def _ends(self, epoch: int) -> list[int]:
        """Steps of an epoch after which the trial is judged."""
        within = (rung - epoch * self.n_images for rung in self.judge_at)
        rungs = {-(-images // self.batch_size) for images in within if 0 < images < self.n_images}
        return sorted({*rungs, self.steps})
