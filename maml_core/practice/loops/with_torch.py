"""The bench's loops that need PyTorch alone."""

from maml_core.practice.loops import copies, plain
from maml_core.practice.loops.loop import Loop

TORCH = "torch"
LOOPS = (
    Loop(
        "load_state_dict",
        TORCH,
        copies.loaded_state,
        "load_state_dict copies numbers into the parameters, not their history. create_graph=True did record the "
        "inner gradient, but nothing leads from the query loss to that record: what arrives in p.grad is ∇L_q at φ.",
        "Call the model with phi through torch.func.functional_call; load nothing.",
        plain.plain_maml,
        ("hoyeoplee/MeLU#9",),
    ),
    Loop(
        "functional_call, create_graph=True",
        TORCH,
        plain.plain_maml,
        "Every φ is made of the one before it, and create_graph=True records how each gradient was made. That record "
        "is also why memory grows with the steps.",
        threads=("tristandeleu/pytorch-maml#21", "facebookresearch/higher#37"),
    ),
    Loop(
        "functional_call, no options",
        TORCH,
        plain.no_create_graph,
        "Without create_graph the inner gradient is a constant to the outer one: every factor I − αH became I.",
        "Pass create_graph=True to the inner autograd.grad.",
        plain.plain_maml,
        ("dragen1860/MAML-Pytorch#17", "dragen1860/MAML-Pytorch#26", "dragen1860/MAML-Pytorch#63"),
    ),
    Loop(
        "functional_call, retain_graph=True",
        TORCH,
        plain.retain_graph,
        "retain_graph keeps the forward graph for a second pass. It does not record the gradient's own operations: "
        "create_graph does.",
        "Replace retain_graph=True by create_graph=True.",
        plain.plain_maml,
        ("dragen1860/MAML-Pytorch#32",),
    ),
    Loop(
        "g.detach() in the update",
        TORCH,
        plain.detached_gradients,
        "The gradient was recorded and then cut off. p itself stays connected, so the identity part of every step "
        "carries ∇L_q(φ) back to θ.",
        "Use g, not g.detach().",
        plain.plain_maml,
        ("facebookresearch/higher#128",),
    ),
    Loop(
        "a hook on every parameter",
        TORCH,
        plain.detaching_hook,
        "A hook on p replaces the gradient that autograd.grad returns for p. This one clamps, which does nothing "
        "here, and detaches, which cuts the record.",
        "Drop the hooks, or clamp without the detach.",
        plain.plain_maml,
    ),
    Loop(
        "phi detached",
        TORCH,
        plain.detached_phi,
        "A detached φ has no history and asks for none, so the second inner step has nothing to differentiate.",
        "Drop the detach.",
        plain.plain_maml,
    ),
    Loop(
        "phi detached, requires_grad_()",
        TORCH,
        plain.new_leaves,
        "Each step makes new leaves. The inner loop runs as it should, and backward ends at the last of those "
        "leaves: the model never hears of it.",
        "Drop .detach().requires_grad_().",
        plain.plain_maml,
    ),
    Loop(
        "update under no_grad",
        TORCH,
        plain.no_grad_update,
        "Under no_grad the subtraction is not recorded, so φ has no history, and the second step has nothing to "
        "differentiate.",
        "Take the update out of torch.no_grad().",
        plain.plain_maml,
    ),
    Loop(
        "model() in every step",
        TORCH,
        plain.starts_again,
        "The loss of each step is taken at θ and the update starts from θ, so k steps are one step, repeated k "
        "times.",
        "Call functional_call(model, phi, …) in the loop, and update phi.",
        plain.plain_maml,
    ),
    Loop(
        "one set for both losses",
        TORCH,
        plain.support_as_query,
        "The vector is an exact gradient, but of the loss on what φ was fitted to. Unseen points were never asked.",
        "Take the last loss on query.x and query.y.",
        plain.plain_maml,
    ),
    Loop(
        "query prediction first",
        TORCH,
        plain.predicted_too_early,
        "The prediction was made with θ, before the loop. Adapting afterwards changes φ, not what is computed "
        "already.",
        "Predict after the loop.",
        plain.plain_maml,
        ("learnables/learn2learn#420",),
    ),
    Loop(
        "clone().detach() at the start",
        TORCH,
        copies.clones_cut_off,
        "The inner loop is whole, and it starts from copies that have forgotten the model.",
        "Start from the parameters themselves, or from p.clone() without the detach.",
        plain.plain_maml,
        ("learnables/learn2learn#152",),
    ),
    Loop(
        "deepcopy and .data",
        TORCH,
        copies.deepcopy_and_data,
        "A deepcopy shares no history with its original, and .data has none either. The gradient lands in the copy, "
        "which is then thrown away.",
        "Keep φ in a dict made of θ, and call the model with it.",
        plain.plain_maml,
        ("learnables/learn2learn#169",),
    ),
    Loop(
        "SGD on a deepcopy",
        TORCH,
        copies.sgd_on_a_copy,
        "torch.optim changes numbers in place and records nothing, and the deepcopy is not connected to the model.",
        "Write the update out, on a dict made of θ.",
        plain.plain_maml,
    ),
    Loop(
        "SGD on the model",
        TORCH,
        copies.sgd_without_zero_grad,
        "In-place steps are not recorded, so backward gives ∇L_q(φ); and it adds that to the support gradient of the "
        "last step, which nobody cleared.",
        "Write the update out with create_graph=True, and let no support gradient into p.grad.",
        plain.plain_maml,
    ),
    Loop(
        "p -= alpha * g",
        TORCH,
        copies.updated_in_place,
        "The parameters hold φ when the query loss is taken, so p.grad is ∇L_q at φ. And θ is gone: the next task "
        "starts where this one ended.",
        "Make new tensors, phi = p − alpha * g, outside no_grad.",
        plain.plain_maml,
    ),
    Loop(
        "backward() in every step",
        TORCH,
        copies.backward_inside,
        "Each backward() runs down to the model's own parameters and adds the support gradient there; the query's "
        "gradient comes on top.",
        "Take inner gradients with autograd.grad and create_graph=True: it adds to no .grad.",
        plain.plain_maml,
    ),
    Loop(
        "eval() for the query",
        "torch, a network with BatchNorm",
        copies.eval_for_the_query,
        "In eval mode BatchNorm divides by its running statistics. The support passes changed those, depending on θ, "
        "and no gradient leads through them.",
        "Leave the model in train mode for the query loss, or use a norm without running statistics.",
        plain.plain_maml,
        normalised=True,
        own_target=True,
    ),
)
