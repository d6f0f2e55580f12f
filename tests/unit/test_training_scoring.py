from __future__ import annotations

import numpy as np
import pytest

from search.training.errors import DivergedError
from search.training.scoring import BATCH_SIZE, Scores, logits_of


def test_scores_of_known_answers():
    logits = np.array([[2.0, 0.0, 0.0], [0.0, 3.0, 0.0], [9.0, 0.0, 0.0]], dtype=np.float32)

    scores = Scores.of(logits, np.array([0, 1, 2]))

    assert scores.accuracy == pytest.approx(2 / 3)
    assert scores.confusion.cells.tolist() == [[0, 0, 1], [1, 1, 1], [2, 0, 1]]
    expected = [np.log(np.exp(2) + 2) - 2, np.log(np.exp(3) + 2) - 3, np.log(np.exp(9) + 2)]
    assert scores.loss == pytest.approx(np.mean(expected))


def test_scores_of_many_classes_come_in_blocks(monkeypatch):
    logits = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)
    labels = np.arange(50) % 7
    whole = Scores.of(logits, labels)

    monkeypatch.setattr("search.training.scoring._BLOCK", 3 * 7)  # 50 = 16 × 3 + 2

    assert Scores.of(logits, labels).loss == whole.loss


def test_loss_of_a_sure_error_is_finite():
    assert Scores.of(np.array([[1e4, -1e4]], dtype=np.float32), np.array([1])).loss == pytest.approx(2e4)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_output_that_is_no_number_has_diverged(bad):
    with pytest.raises(DivergedError, match="not finite"):
        Scores.of(np.array([[0.0, bad]], dtype=np.float32), np.array([1]))


def test_logits_keep_the_order_of_the_indices():
    images = np.arange(2 * BATCH_SIZE + 7, dtype=np.int64)[:, None]
    indices = np.arange(2 * BATCH_SIZE + 7)[::-1]
    sizes = []

    def forward(batch):
        sizes.append(len(batch))
        return batch.astype(np.float32)

    logits = logits_of(forward, images, indices)

    assert sizes == [BATCH_SIZE, BATCH_SIZE, 7]
    np.testing.assert_array_equal(logits[:, 0], indices)


def test_logits_are_left_out_after_an_interrupt():
    images = np.zeros((3 * BATCH_SIZE, 1))

    assert len(logits_of(lambda batch: batch, images, np.arange(3 * BATCH_SIZE), lambda: False)) == BATCH_SIZE
