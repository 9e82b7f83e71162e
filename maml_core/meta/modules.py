"""Any nn.Module as a loss of a flat dict of parameters, one φ per task, through functional_call and vmap.

Shapes: T tasks; a leaf of θ is shaped as the module's own parameter (...), a leaf of one φ per task (T, ...).
"""

from collections.abc import Callable

from torch import Tensor, nn
from torch.func import functional_call, vmap

from maml_core.meta.models import Loss
from maml_core.meta.tasks import Batch
from maml_core.meta.trees import Params

Criterion = Callable[[Tensor, Tensor], Tensor]  # prediction and target of ONE task -> its mean loss, 0-dim


def module_params(module: nn.Module) -> Params:
    """θ as the module has it now: a copy of every parameter, under its own name."""
    return {name: leaf.detach().clone() for name, leaf in module.named_parameters()}


def module_loss(module: nn.Module, criterion: Criterion) -> Loss:
    r"""The loss of any module, one number per task, (T,).

    $$\mathcal L_i(\phi) = \text{criterion}\big(f_\phi(x_i), y_i\big)$$

    `criterion` sees one task's prediction and target and returns their mean loss, e.g.
    `nn.functional.mse_loss`. The module's own parameters are never used or changed. Raises ValueError,
    with the module's name and the repair, for what has no meaning when T copies of θ run side by side:
    running statistics, random masks, in-place writes. In-place layers are refused even where they would
    be harmless, as that depends on what autograd has saved.
    """
    _refuse_impossible(module)
    ranks = {name: leaf.ndim for name, leaf in module.named_parameters()}

    def one_task(params: Params, x: Tensor, y: Tensor) -> Tensor:
        return criterion(functional_call(module, params, (x,)), y)

    def loss(params: Params, batch: Batch) -> Tensor:
        own = any(params[name].ndim > rank for name, rank in ranks.items())  # one φ per task, or θ for all
        versions = _versions(params, batch)
        try:
            losses = vmap(one_task, in_dims=(0 if own else None, 0, 0))(params, batch.x, batch.y)
        except RuntimeError as error:
            raise _explained(module, error) from error
        if _versions(params, batch) != versions:
            raise ValueError(f"{_title(module, '')} writes into its input or its parameters. {_OUT_OF_PLACE}")
        return losses

    return loss


_OUT_OF_PLACE = "Write the result to a new tensor (x = x + 1, not x += 1; inplace=False)."
_DETERMINISTIC = "Call .eval() on it, or set its probability to 0."
_NO_STATISTICS = "Call .eval() on it, build it with track_running_stats=False, or use GroupNorm or LayerNorm."
# What torch says when a write in place meets T copies of a tensor where the module's author expected one.
_SIGNS_OF_WRITING = ("in-place", "inplace", "written-to", "doesn't match the broadcast shape")


def _versions(params: Params, batch: Batch) -> list[int]:
    """How often each tensor has been written into."""
    return [tensor._version for tensor in (*params.values(), *batch)]


def _title(module: nn.Module, name: str) -> str:
    """`BatchNorm2d "features.1"`: what the reader looks for in their code."""
    return f'{type(module).__name__} "{name}"' if name else type(module).__name__


def _refuse_impossible(module: nn.Module) -> None:
    """One sentence for the first submodule that is known not to work."""
    for name, part in module.named_modules():
        if getattr(part, "inplace", False):
            raise ValueError(f"{_title(part, name)} writes in place. {_OUT_OF_PLACE}")
        if part.training and getattr(part, "track_running_stats", False):
            raise ValueError(f"{_title(part, name)} updates running statistics. {_NO_STATISTICS}")
        if part.training and _draws_masks(part):
            raise ValueError(f"{_title(part, name)} draws a new random mask in every call. {_DETERMINISTIC}")


def _draws_masks(part: nn.Module) -> bool:
    """Dropout in its own layer, or as an option of a recurrent or attention layer."""
    chance = part.p if isinstance(part, nn.modules.dropout._DropoutNd) else getattr(part, "dropout", 0.0)
    return isinstance(part, nn.RReLU) or (isinstance(chance, float) and chance > 0)


def _explained(module: nn.Module, error: RuntimeError) -> Exception:
    """What vmap refused, with the innermost module that was running and the repair."""
    text = str(error)
    if "random" in text and "vmap" in text:
        return ValueError(f"{_running(module, error)} draws random numbers. {_DETERMINISTIC}")
    if any(sign in text for sign in _SIGNS_OF_WRITING):
        return ValueError(f"{_running(module, error)} writes in place. {_OUT_OF_PLACE}")
    return error


def _running(module: nn.Module, error: RuntimeError) -> str:
    """The title of the innermost part of `module` on the traceback of `error`."""
    names = {id(part): name for name, part in module.named_modules()}
    found, trace = module, error.__traceback__
    while trace is not None:
        here = trace.tb_frame.f_locals.get("self")
        found = here if isinstance(here, nn.Module) and id(here) in names else found
        trace = trace.tb_next
    return _title(found, names[id(found)])
