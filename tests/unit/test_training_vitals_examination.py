from __future__ import annotations

import json
import math

import pytest

from search.training.vitals.examination import Examination
from search.training.vitals.signs import Signs

CHANCE = math.log(47)


def signs(step, *, loss=CHANCE, spread=1e-2, gradient=0.1, update=1e-3, dead=0.0):
    return Signs(
        step=step,
        loss=loss,
        spread=spread,
        gradient_first=gradient,
        gradient_last=1.0,
        update_ratio=update,
        dead_units=dead,
    )


def examine(trace, *, is_normalised=False, batch_size=128):
    """The diagnosis after each step of `trace`, up to the first hopeless one."""
    examination = Examination(CHANCE, is_normalised=is_normalised, batch_size=batch_size)
    found = []
    for step, values in enumerate(trace, start=1):
        found.append(examination.look(signs(step, **values)))
        if found[-1].is_hopeless:
            break
    return found


def conditions(trace, **options):
    return list(dict.fromkeys(diagnosis.condition for diagnosis in examine(trace, **options)))


def test_network_that_dies_is_found_a_few_steps_later():
    alive = [{"spread": 3e-5, "gradient": 1e-4}] * 7
    dead = [{"spread": 8e-9, "gradient": 8e-9}] * 40

    found = examine(alive + dead)

    assert (found[-1].condition, found[-1].since_step) == ("collapsed", 8)
    assert len(found) < 25
    assert found[-1].evidence["spread_then"] == pytest.approx(3e-5)
    assert found[-1].evidence["gradient_first"] == pytest.approx(8e-9)


def test_dead_network_with_dropout_is_found_though_its_answers_differ():
    trace = [{"gradient": 0.4}] * 5 + [{"gradient": 0.0}] * 10

    assert conditions(trace)[-1] == "collapsed"


def test_silence_of_small_batches_is_counted_in_images():
    """In a batch of eight there may be none of the images that still wake a network."""
    quiet, awake = [{"gradient": 0.0}] * 12, [{"gradient": 0.4}] * 4
    trace = [{"gradient": 0.4}] * 5 + (quiet + awake) * 5

    assert conditions(trace, batch_size=128)[-1] == "collapsed"
    assert "collapsed" not in conditions(trace, batch_size=8)


def test_equal_answers_are_no_death_while_a_gradient_arrives():
    trace = [{}] * 15 + [{"spread": 1e-8}] * 40

    assert conditions(trace) == ["starting", "slow_starter", "shaken"]


def test_answers_that_are_nearly_equal_from_the_start_are_no_death():
    """Nineteen layers without normalisation begin with a spread that is hardly above rounding."""
    trace = [{"spread": 1e-7, "gradient": 1e-8}] * 300

    assert "collapsed" not in conditions(trace)


def test_batch_norm_gives_a_silent_network_more_time():
    trace = [{}] * 5 + [{"spread": 1e-8, "gradient": 1e-6}] * 15 + [{"spread": 0.16}] * 20

    assert conditions(trace)[-1] == "collapsed"
    assert "collapsed" not in conditions(trace, is_normalised=True)


def test_batch_norm_makes_nothing_of_nothing():
    trace = [{}] * 5 + [{"spread": 1e-8, "gradient": 0.0}] * 15

    assert conditions(trace, is_normalised=True)[-1] == "collapsed"


def test_silence_that_is_broken_every_fourth_step_is_no_death():
    silent = [{"spread": 1e-8, "gradient": 0.0}] * 3

    assert "collapsed" not in conditions([{}, *silent] * 100)


def test_dead_network_that_single_images_wake_is_dead():
    silent = [{"spread": 1e-8, "gradient": 0.0}] * 8

    assert conditions([{}] * 5 + [*silent, {}] * 5)[-1] == "collapsed"


@pytest.mark.parametrize(
    ("gradient", "is_dead"),
    [(1.5e-4, True), (3e-4, False)],  # next to a first one of 0.1: one and a half thousandths, and three
    ids=["hardly more than silent", "more"],
)
def test_gradient_that_is_hardly_more_breaks_silence_less(gradient, is_dead):
    faint = [{"gradient": 5e-5}] * 5

    assert (
        conditions([{}] * 5 + [*faint, {"gradient": gradient}, {"gradient": gradient}] * 3)[-1] == "collapsed"
    ) is is_dead


def test_gradient_that_hovers_above_a_thousandth_is_no_silence():
    hovering = [{"gradient": 1.5e-4}] * 9

    assert "collapsed" not in conditions([{}] * 5 + [*hovering, {"gradient": 5e-5}] * 30)


def test_answers_that_differ_more_than_at_first_get_more_time():
    """Saturated units at the bottom pass no gradient, and still tell images apart."""
    trace = [{"spread": 1e-2}] * 5 + [{"spread": 1.0, "gradient": 0.0}] * 12

    assert "collapsed" not in conditions(trace)


def test_gradient_that_falls_with_large_logits_is_no_silence():
    """VGG16 begins with a loss of 38 or more on images of 0 to 255, and a gradient to match."""
    trace = [{"loss": 400.0 * 0.8**step, "gradient": 2e4 * 0.8**step} for step in range(25)]

    assert "collapsed" not in conditions([*trace, *[{"gradient": 5e-3}] * 200])


def test_steps_may_be_left_out_until_there_is_silence():
    examination = Examination(CHANCE, is_normalised=False, batch_size=128)
    wanted = []
    for step in range(1, 200):
        if step >= examination.next_step:
            wanted.append(step)
            examination.look(signs(step, gradient=0.0 if step in (130, 131) else 0.1))

    assert wanted == [*range(1, 101), 110, 120, 130, 131, 132, 140, 150, 160, 170, 180, 190]


def test_slow_starter_is_left_alone_as_long_as_it_takes():
    trace = [{"spread": 2.4e-4 * 1.02**step, "gradient": 3.6e-4 * 1.02**step} for step in range(400)]

    assert conditions(trace) == ["starting", "slow_starter"]


def test_small_spread_alone_is_no_death():
    trace = [{"spread": 7e-5, "gradient": 1e-4, "update": 1e-3}] * 400

    assert conditions(trace) == ["starting", "slow_starter", "never_started"]


def test_network_that_learns_may_lose_its_gradient():
    trace = [{}] * 5 + [{"loss": 0.01, "gradient": 1e-6}] * 100

    assert conditions(trace)[-1] == "learning"


def test_network_that_has_learned_all_may_be_surprised():
    trace = [{}] * 5 + [{"loss": 1e-3, "gradient": 1e-8}] * 200 + [{"loss": 40.0, "gradient": 5.0}] * 3

    assert conditions(trace)[-1] == "learning_rate_high"


def test_fall_and_return_are_shaken_and_recovering():
    trace = [{"spread": 28.0}] * 20 + [{"spread": 0.19}] * 30 + [{"spread": 5.0}] * 30

    found = conditions(trace, is_normalised=True)

    assert found[-2:] == ["shaken", "recovering"]


def test_large_steps_that_shake_a_network_are_named_once_it_does_not_come_back():
    large = {"update": 0.2, "loss": 9.0}
    trace = [{"spread": 28.0, **large}] * 8 + [{"spread": 0.19, **large}] * 30 + [{"spread": 5.0, **large}] * 300

    found = [diagnosis.condition for diagnosis in examine(trace, is_normalised=True)]

    assert (found[35], found[100], found[-1]) == ("shaken", "recovering", "learning_rate_high")


def test_answers_that_begin_to_differ_late_are_no_start_that_was_missed():
    """LeNet-5 under SGD 1e-3: its answers grew apart in the 110th step, and it learned."""
    trace = [{"spread": 1e-2}] * 110 + [{"spread": 1e-2 * 1.1**step} for step in range(60)]

    assert conditions(trace) == ["starting", "slow_starter"]


def test_death_among_few_unequal_classes_is_found_though_batches_differ():
    """Of nine to one, a batch often has less loss than guessing has in the mean."""
    chance, losses = 0.325, (0.15, 0.15, 0.4, 0.15, 0.7)
    examination = Examination(chance, is_normalised=False, batch_size=32)
    for step in range(1, 60):
        is_dead = step > 10
        values = {"spread": 1e-9, "gradient": 1e-12} if is_dead else {}
        found = examination.look(signs(step, loss=losses[step % 5], **values))
        if found.is_hopeless:
            break

    assert (found.condition, step < 45) == ("collapsed", True)


def test_steps_that_are_too_large_are_named_while_it_lives():
    trace = [{"update": 0.2, "loss": 9.0}] * 30

    assert conditions(trace) == ["starting", "learning_rate_high"]


def test_loss_that_comes_from_far_above_is_no_sign_of_large_steps():
    trace = [{"loss": 4.0 + 34 * 0.9**step, "spread": 15.0} for step in range(50)]

    assert conditions(trace) == ["starting", "slow_starter"]


def test_network_that_tells_images_apart_has_started():
    trace = [{"spread": 0.8}] * 200

    assert conditions(trace, is_normalised=True) == ["starting", "slow_starter"]


def test_steps_that_are_too_small_are_named_while_it_lives():
    trace = [{"update": 1e-6}] * 320

    assert conditions(trace) == ["starting", "slow_starter", "learning_rate_low"]


def test_steps_that_change_no_number_are_named_at_once_unless_no_gradient_arrives():
    assert conditions([{"update": 1e-11, "gradient": 0.1}] * 3) == ["learning_rate_low"]
    assert conditions([{"update": 1e-11, "gradient": 1e-6}] * 80)[-1] != "starting"
    assert conditions([{"update": 1e-11, "gradient": 1e-6}] * 3) == ["starting"]


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("name", ["loss", "spread", "gradient", "update"])
def test_number_that_is_not_finite_is_divergence(name, value):
    found = examine([{}, {}, {name: value}])

    assert (found[-1].condition, found[-1].since_step) == ("diverged", 3)
    assert all(map(math.isfinite, found[-1].evidence.values()))


def test_first_step_may_diverge():
    assert examine([{"loss": math.nan}])[-1].condition == "diverged"


def test_examination_goes_on_from_what_json_keeps():
    trace = [{"spread": 3e-5, "gradient": 1e-4}] * 7 + [{"spread": 8e-9, "gradient": 8e-9}] * 40
    whole = examine(trace)
    one = Examination(CHANCE, is_normalised=False, batch_size=128)
    for step, values in enumerate(trace[:10], start=1):
        one.look(signs(step, **values))

    other = Examination.from_dict(json.loads(json.dumps(one.to_dict())), CHANCE, is_normalised=False, batch_size=128)
    found = [other.look(signs(step, **values)) for step, values in enumerate(trace[10 : len(whole)], start=11)]

    assert found == whole[10:]


def test_memory_does_not_grow_with_the_steps():
    examination = Examination(CHANCE, is_normalised=False, batch_size=128)
    examination.look(signs(1))
    before = len(examination.to_dict())
    for step in range(2, 300):
        examination.look(signs(step))

    assert len(examination.to_dict()) == before
    assert all(isinstance(value, (bool, int, float, str)) for value in examination.to_dict().values())
