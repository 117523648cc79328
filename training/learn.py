"""Learn where answers lie: makes the file that `agentic_memory.backends.embedders.towers` loads.

    python -m training.learn [--check] [--held-out N]

A question is seldom like its answer. From the invented conversations in `training/people` the encoder learns to bring
them together: for each question and its keywords all of a caller's passages compete, once by their vectors alone and
once beside what the ranking knows without vectors, and the probability (softmax) of those that answer is raised by
gradient descent. `--check` says whether the file in the package is what comes out; `--held-out 5` leaves every fifth
person out and measures on those. Nothing but this repository goes in; same input, same output: float64, a seeded
order, and a result rounded to 8 bits, so that the last digits of a sum do not matter. Whoever learns anew puts the sum
that is printed into `towers.SHA256`.
"""

import argparse
import hashlib
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agentic_memory.backends.embedders import towers
from agentic_memory.backends.embedders.encoder import Encoder
from agentic_memory.backends.embedders.usem3 import package
from tests.recall.calls import read
from training.encoder import Tower
from training.lessons import PEOPLE, Lessons, lessons

EPOCHS, SEED = 3, 20261122
STEP, WARM = 2e-4, 30
"""The length of Adam's steps, and over how many of them it is reached."""
BESIDE = 15.0
"""What a cosine counts beside the ranking without meaning: left free, it ends there."""
ALONE = 20.0
"""What it counts where vectors compete alone."""


class Learner:
    """Two towers that begin as the package's."""

    def __init__(self, encoder: Encoder) -> None:
        """`encoder` has the package's matrices in both towers; they stay as they are."""
        self.packaged = encoder.towers
        self.questions, self.said = (Tower(encoder.table, encoder.towers[name]) for name in towers.TOWERS)

    def likeness(self, of: Lessons) -> Tensor:
        """float64[questions, passages]: of each passage the highest cosine of its rows."""
        rows = self.questions(of.questions) @ self.said(of.rows).T
        owners = torch.from_numpy(of.owners).expand(len(rows), -1)
        return rows.new_full(of.other_steps.shape, -1.0).scatter_reduce(1, owners, rows, "amax")

    def loss(self, of: Lessons) -> Tensor:
        """How improbable the answers are, in nats."""
        near, weights = self.likeness(of), torch.from_numpy(of.weights)
        answers, others = torch.from_numpy(of.answers), torch.from_numpy(of.other_steps)
        both = torch.log_softmax(others + BESIDE * near, 1) + torch.log_softmax(ALONE * near, 1)
        return -((both * answers).sum(1) * weights).sum() / weights.sum()

    def learn(self, given: Sequence[Lessons]) -> None:
        """By Adam, one person a step, the steps growing over the first and then shrinking to the last."""
        matrices = [*self.questions.parameters(), *self.said.parameters()]
        adam = torch.optim.Adam(matrices, lr=STEP, betas=(0.9, 0.98), eps=1e-7)
        order = np.random.default_rng(SEED)
        steps, step, began = EPOCHS * len(given), 0, time.monotonic()
        for epoch in range(EPOCHS):
            losses = []
            for i in order.permutation(len(given)):
                adam.param_groups[0]["lr"] = STEP * min(1, (step + 1) / WARM) * (1 - step / (steps + 1))
                adam.zero_grad()
                loss = self.loss(given[i])
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(matrices, 1.0)
                adam.step()
                losses.append(loss.item())
                step += 1
            print(f"round {epoch + 1} of {EPOCHS}: loss {np.mean(losses):.3f}, {time.monotonic() - began:.0f} s", flush=True)

    def found(self, given: Sequence[Lessons], beside: float, first: int = 5) -> float:
        """In percent: the share of questions with an answer among the first. `beside` 0: by vectors alone."""
        hits = []
        with torch.no_grad():
            for of in given:
                scores = BESIDE * self.likeness(of).numpy() + beside * of.other_steps
                best = np.argsort(-scores, axis=1, kind="stable")[:, :first]
                hits += (np.take_along_axis(of.answers, best, axis=1) > 0).any(axis=1).tolist()
        return 100 * float(np.mean(hits))

    def rounded(self) -> dict[str, NDArray[Any]]:
        """What was added to the package's matrices, as it is stored."""
        stored: dict[str, NDArray[Any]] = {}
        for name, tower in zip(towers.TOWERS, (self.questions, self.said), strict=True):
            for matrix, learnt in tower.matrices.items():
                difference = learnt.detach().numpy() - self.packaged[name][matrix].astype(np.float64)
                stored |= towers.rounded(name, matrix, difference)
        return stored


def plain() -> Encoder:
    """The package's model in both towers."""
    loaded = package()
    return Encoder.of(loaded, dict.fromkeys(towers.TOWERS, towers.plain(loaded)))


def measure(learner: Learner, given: Sequence[Lessons], every: int) -> None:
    """Learn without every so many-th person, and say what was gained on those."""
    held, others = given[::every], [of for i, of in enumerate(given) if i % every]
    for when in ("before", "after"):
        if when == "after":
            learner.learn(others)
        alone, both = (learner.found(held, beside) for beside in (0.0, 1.0))
        print(f"hit@5 of {sum(len(of.questions) for of in held)} questions held out, {when}: {alone:.1f} by vectors alone, {both:.1f} with the rest")


def is_written(made: Mapping[str, NDArray[Any]]) -> bool:
    """Whether the package has just this."""
    with np.load(towers.FILE) as written:
        return set(written.files) == set(made) and all(np.array_equal(written[name], array) for name, array in made.items())


def main() -> int:
    """Learn, and write it, or check what was written."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing: say whether the package has what comes out")
    parser.add_argument("--held-out", type=int, metavar="N", help="write nothing: leave every Nth person out, measure on those")
    chosen = parser.parse_args()
    encoder = plain()
    given = list(lessons(read(PEOPLE), encoder))
    print(f"{len(given)} people, {sum(len(of.questions) for of in given)} questions and their keywords", flush=True)
    learner = Learner(encoder)
    if chosen.held_out:
        measure(learner, given, chosen.held_out)
        return 0
    learner.learn(given)
    made = learner.rounded()
    if chosen.check:
        same = is_written(made)
        print("as in the package" if same else "not what the package has")
        return 0 if same else 1
    np.savez(towers.FILE, **made)  # type: ignore[arg-type]
    print(f"written; towers.SHA256 = {hashlib.sha256(towers.FILE.read_bytes()).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
