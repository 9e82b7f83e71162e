"""Lesson 8. The race: several methods, the same tasks, the same start, the same budget."""

from functools import partial

from maml_core.train.race_scripts import race_script
from maml_core.train.recorded_race import recorded
from pages.ui import lesson, live, race_controls, race_feed, race_table, race_views

NAME = "08_race"

lesson.header(NAME)
desk = live.desk()
running, progress = race_feed.current(desk) or (None, None)
race, refused = race_controls.setup(running)
race_views.buttons(race, running, progress, refused=refused, moved=desk.moved)
revealed = race_views.predict(NAME) if running is None else True
race_views.picture(desk, running, progress, wanted=race, revealed=revealed)
if running and progress:
    shown, marks = running, progress.marks
    if progress.over(running):
        race_table.result(running, progress.marks, progress.ended, recorded_race=False)
else:
    shown, marks = recorded()
    if revealed:
        race_table.result(shown, marks, {}, recorded_race=True)

lesson.prose(
    r"""
A fair race needs three things to be equal: where everyone starts, what everyone sees, and what everyone may spend.
The first two come with the **seed**: it decides the first weights and every training task, whoever trains. The third
is yours to choose. Per *outer step* MAML looks expensive, for it takes a gradient through a gradient; per *gradient*
a first-order method may take more steps for the same price; and *seconds* depend on the machine as well. A method can
win by one measure and lose by another.

Two entrants do not meta-learn. **pretrained** is one network trained on all tasks at once, which can learn no more
than the mean of all sines; then it is fine-tuned. **from scratch** has never seen a sine. Both may choose the rate at
which they adapt, from a list, on tasks that are not those of the comparison.

A few seeds are few: set five, and see whether the ranking holds. If two ranges overlap at the end, the page calls it
open, and so should you.
"""
)
race_views.costs(race)
race_views.again(race, marks if shown == race else {})
lesson.take_away(race_controls.address(race), partial(race_script, shown, marks), "race.py")
lesson.takeaway(
    "“Better” needs a budget beside it. Compare methods from the same start, on the same tasks, for several seeds, "
    "and say what was equal: steps, gradients or seconds."
)
lesson.sources(
    "C. Finn, P. Abbeel, S. Levine (2017), *Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks*: "
    "[arXiv 1703.03400](https://arxiv.org/abs/1703.03400). MAML, its first-order version, the pretrained baseline, "
    "and the published numbers.",
    "A. Nichol, J. Achiam, J. Schulman (2018), *On First-Order Meta-Learning Algorithms*: "
    "[arXiv 1803.02999](https://arxiv.org/abs/1803.02999). Reptile.",
    "B. A. Pearlmutter (1994), *Fast Exact Multiplication by the Hessian*: "
    "[doi 10.1162/neco.1994.6.1.147](https://doi.org/10.1162/neco.1994.6.1.147). Why a Hessian-vector product costs "
    "a few gradients; here it is counted as two, which is what its multiplications come to.",
)
lesson.footer(NAME)
