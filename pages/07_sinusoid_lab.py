"""Lesson 7. The sinusoid lab: meta-training that one can watch, pause, question and take home."""

from pages.ui import charts_live, lab_buttons, lab_controls, lesson, live

NAME = "07_sinusoid_lab"
EMPTY = "Press Start: a worker process trains, and the loss of every step appears below."

lesson.header(NAME)
desk = live.desk()
wanted = lab_controls.config(desk.pool.limits.iterations)
run = desk.run(lab_buttons.NAME)
lab_buttons.buttons(desk, run, wanted)
panels = {
    "loss": charts_live.panel(
        charts_live.loss(), "Loss of each outer step", "The query loss after adaptation, falling."
    ),
}
live.chart(desk, "lab", panels, empty=EMPTY)
lesson.footer(NAME)
