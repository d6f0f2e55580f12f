from __future__ import annotations

from training_talk import SMALL, digits, train_command, worker

from search.training.hyperparameters import Hyperparameters
from search.training.loop import Trainer
from search.training.messages import LoadData

DYING = {**SMALL, "optimizer": "sgd", "learning_rate": 3.0, "batch_size": 8}


def test_network_of_a_dead_trial_is_kept_for_the_next(tmp_path):
    with worker(lambda _: [], []) as (channel, _):
        trainer = Trainer(channel, memory=2**62)
        before = backbone(trainer)
        trainer._answer(LoadData(source="mnist-5k", validation=0.1, train_limit=256, seed=0))
        failed = trainer._answer(train_command(tmp_path, DYING))

    assert failed.reason == "collapsed"
    assert backbone(trainer) is before


def backbone(trainer):
    hp = Hyperparameters.from_dict(DYING)
    return trainer._structures.network(hp, digits().image_shape, 10, None).backbone
