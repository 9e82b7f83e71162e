"""The bench's loops on higher, torchopt and torch.func, by hand, and after learn2learn's pattern."""

from maml_core.practice.loops import by_func, by_hand, by_higher
from maml_core.practice.loops.loop import Loop

HIGHER, TORCHOPT, FUNC = "higher 0.2.1", "torchopt 0.7.3", "torch.func"
HAND, PATTERN = "torch, by hand", "learn2learn's pattern, re-created"
HIGHER_LOOPS = (
    Loop(
        "higher, defaults",
        HIGHER,
        by_higher.higher_by_default,
        "copy_initial_weights is True by default: the loop starts from detached copies, and backward ends there.",
        "Pass copy_initial_weights=False.",
        by_higher.higher_maml,
        ("facebookresearch/higher#30", "facebookresearch/higher#54"),
    ),
    Loop(
        "higher, copy_initial_weights=False",
        HIGHER,
        by_higher.higher_maml,
        "The loop starts from the model's own parameters and diffopt.step keeps the graph: second-order MAML.",
        threads=("facebookresearch/higher#90",),
    ),
    Loop(
        "higher, track_higher_grads=False",
        HIGHER,
        by_higher.higher_untracked,
        "Without tracking, each step makes new leaves. It is a test mode, and not first-order MAML.",
        "Leave track_higher_grads at True.",
        by_higher.higher_maml,
        ("facebookresearch/higher#63", "facebookresearch/higher#129"),
    ),
    Loop(
        "higher, grad_callback",
        HIGHER,
        by_higher.higher_with_callback,
        "The callback detaches every inner gradient; the identity part of each step still leads back to θ.",
        "Drop the grad_callback.",
        by_higher.higher_maml,
        ("facebookresearch/higher#128",),
    ),
    Loop(
        "higher, grad at fmodel.parameters()",
        HIGHER,
        by_higher.higher_at_phi,
        "fmodel.parameters() are the adapted ones, φ. Their gradient is ∇L_q(φ), whatever the graph behind them.",
        "Differentiate with respect to fmodel.parameters(time=0), the parameters before the first step.",
        by_higher.higher_at_theta,
        ("facebookresearch/higher#63",),
    ),
    Loop(
        "higher, Adam",
        HIGHER,
        by_higher.higher_with_adam,
        "higher differentiates Adam's own update, with its running means. It is another inner rule, so another "
        "problem: the target here is the gradient of this loop's own query loss.",
        own_target=True,
    ),
)
OTHER_LOOPS = (
    Loop(
        "torchopt, MetaSGD",
        TORCHOPT,
        by_func.torchopt_maml,
        "MetaSGD puts tensors with a history into the module; backward leads through them to the parameters it began "
        "with.",
    ),
    Loop(
        "torchopt, stop_gradient",
        TORCHOPT,
        by_func.torchopt_stopped,
        "stop_gradient detaches what is in the module. That keeps memory from growing, and cuts θ off.",
        "Stop the gradient between tasks, not between inner steps.",
        by_func.torchopt_maml,
        ("metaopt/torchopt#218",),
    ),
    Loop(
        "torch.func, grad of grad",
        FUNC,
        by_func.func_maml,
        "grad inside a function that grad differentiates is recorded without any option.",
    ),
    Loop(
        "torch.func, detach",
        FUNC,
        by_func.func_detached,
        "To torch.func a detached value is a constant, and the derivative of a constant is 0. Nothing is None here.",
        "Drop the detach.",
        by_func.func_maml,
    ),
    Loop(
        "torch.func, jacfwd",
        FUNC,
        by_func.func_forward_mode,
        "vmap of jvp through grad is a correct way to a meta-gradient. In torch 2.13 the derivative of mse_loss does "
        "not survive it.",
        "Write the loss out: (prediction − y).square().mean().",
        by_func.func_forward_mode_written_out,
    ),
    Loop(
        "by hand, Hessian-vector products",
        HAND,
        by_hand.products_forwards,
        "The factors I − αH do not commute. On the way back the last step comes first.",
        "Walk back: for stop in reversed(stops).",
        by_hand.products_backwards,
        helpers=(by_hand.gradient,),
    ),
    Loop(
        "learn2learn's pattern",
        PATTERN,
        by_hand.learn2learn_maml,
        "clone() keeps the history, adapt() writes new tensors with a history into the clone.",
        threads=("learnables/learn2learn#153",),
        helpers=(by_hand.clone_module, by_hand.adapt),
    ),
    Loop(
        "learn2learn's pattern, first_order=True",
        PATTERN,
        by_hand.learn2learn_first_order,
        "first_order=True is create_graph=False.",
        "Leave first_order at False.",
        by_hand.learn2learn_maml,
        ("learnables/learn2learn#154",),
        helpers=(by_hand.clone_module, by_hand.adapt),
    ),
    Loop(
        "learn2learn's pattern, model() at the end",
        PATTERN,
        by_hand.learn2learn_model_asked,
        "The clone was adapted and the original was asked: model still holds θ.",
        "Take the query loss of learner, the adapted clone.",
        by_hand.learn2learn_maml,
        ("learnables/learn2learn#169",),
        helpers=(by_hand.clone_module, by_hand.adapt),
    ),
)
LOOPS = HIGHER_LOOPS + OTHER_LOOPS
