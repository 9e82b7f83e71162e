"""Claims 25 to 34, about first-order MAML with higher: each is run on lesson 10's published problem, in float64.

Source: "Can detaching gradient 'data' implement first-order MAML using PyTorch's higher library?", a Q&A of 2025.
"""

# Half of what is run here is wrong, and higher says little about its types:
# pyright: reportGeneralTypeIssues=false, reportCallIssue=false, reportOperatorIssue=false

import importlib.util

import higher
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from maml_core.claims import Claim
from maml_core.meta.agreement import angle
from maml_core.meta.tasks import Batch
from maml_core.numerals import numeral
from maml_core.practice.loops.by_higher import higher_maml
from maml_core.practice.loops.judging import DOUBLE, relative
from maml_core.practice.loops.landmarks import LABELS, landmarks
from maml_core.practice.loops.problem import ALPHA, STEPS, network, published

TORCHMETA = ("torchmeta 1.8.0", (1, 4), (1, 10))  # its last release asks for torch >=1.4.0,<1.10.0


def _model() -> nn.Module:
    return network(published().theta)


def _loss(model: nn.Module, batch: Batch) -> Tensor:
    return mse_loss(model(batch.x), batch.y)


def _flat(tensors: list[Tensor]) -> Tensor:
    return torch.cat([tensor.detach().flatten() for tensor in tensors])


def _found(model: nn.Module) -> Tensor | None:
    """What is in p.grad, as one vector; None if any of it is None."""
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    return _flat(gradients) if len(gradients) == len(list(model.parameters())) else None


def _is(vector: Tensor | None, name: str) -> bool:
    return vector is not None and relative(vector, landmarks()[name]) < DOUBLE


def claim_25() -> Claim:
    try:
        with higher.monkeypatch(_model(), copy_initial_weights=False) as fmodel:
            runs, said = fmodel is not None, "It ran."
    except TypeError as error:
        runs, said = False, f"It stops with TypeError: {error}. monkeypatch returns a module; call it without `with`."
    return Claim(25, "true" if runs else "false", said)


def claim_26() -> Claim:
    fmodel = higher.monkeypatch(_model(), copy_initial_weights=False)
    try:
        torch.optim.SGD(fmodel.parameters(), lr=ALPHA)
        runs, said = True, "It ran."
    except ValueError as error:
        runs, said = False, f"It stops with ValueError: {error}. fmodel's parameters are made of the model's."
    return Claim(26, "true" if runs else "false", said)


def claim_27() -> Claim:
    model = _model()
    fmodel = higher.monkeypatch(model, copy_initial_weights=True)
    inner = torch.optim.SGD(fmodel.parameters(), lr=ALPHA)  # these are leaves, so it accepts them
    for _ in range(STEPS):
        inner.zero_grad()
        _loss(fmodel, published().support).backward()
        inner.step()
    _loss(fmodel, published().query).backward()
    none = sum(p.grad is None for p in model.parameters())
    verdict = "false" if none == len(list(model.parameters())) else "true"
    return Claim(27, verdict, f"It runs, and {none} of the model's 4 parameters have a gradient of None.")


def _forced(*, zero_grad: bool) -> Tensor | None:
    """The question's loop with copy_initial_weights=False, made to run: retain_grad, retain_graph, update by hand."""
    model = _model()
    fmodel = higher.monkeypatch(model, copy_initial_weights=False)
    for _ in range(STEPS):
        for p in fmodel.parameters():
            p.retain_grad()
        if zero_grad:
            fmodel.zero_grad(set_to_none=True)
        _loss(fmodel, published().support).backward(retain_graph=True)
        fmodel.update_params([p - ALPHA * p.grad for p in fmodel.parameters()])
    _loss(fmodel, published().query).backward()
    return _found(model)


def claim_28() -> Claim:
    found = _forced(zero_grad=False)
    assert found is not None
    off = relative(found, landmarks()["leak"])
    known = f" It is {LABELS['leak']}, to {numeral(off, 2)} of its length." if _is(found, "leak") else ""
    degrees = angle(found, landmarks()["exact"])
    verdict = "true" if _is(found, "exact") or _is(found, "first order") else "false"
    return Claim(28, verdict, f"The vector is {numeral(degrees, 3)}° from the meta-gradient.{known}")


def claim_29() -> Claim:
    with_it, without = _forced(zero_grad=True), _forced(zero_grad=False)
    assert with_it is not None
    assert without is not None
    verdict = "false" if torch.equal(with_it, without) else "true"
    said = "fmodel's tensors are not leaves; what leaks is in the model's own .grad, which it does not touch."
    off = numeral(relative(with_it, without), 2)
    return Claim(29, verdict, f"The gradients with it and without it differ by {off} of their length. {said}")


def _explicit(*, detach: bool) -> Tensor:
    """The question's third example, repaired: an explicit update, k times."""
    model = _model()
    fmodel = higher.monkeypatch(model, copy_initial_weights=False)
    for _ in range(STEPS):
        grads = torch.autograd.grad(_loss(fmodel, published().support), list(fmodel.parameters()))
        grads = [g.detach() for g in grads] if detach else grads
        fmodel.update_params([p - ALPHA * g for p, g in zip(fmodel.parameters(), grads, strict=True)])
    _loss(fmodel, published().query).backward()
    found = _found(model)
    assert found is not None
    return found


def claim_30() -> Claim:
    found = _explicit(detach=False)
    off = numeral(relative(found, landmarks()["first order"]), 2)
    said = f"It differs from ∇L_q(φ) by {off} of its length."
    return Claim(30, "true" if _is(found, "first order") else "false", said)


def claim_31() -> Claim:
    same = torch.equal(_explicit(detach=True), _explicit(detach=False))
    said = "bit for bit the same: without create_graph that gradient has no graph to cut" if same else "different"
    return Claim(31, "false" if same else "true", f"With and without the detach the meta-gradient is {said}.")


def claim_32() -> Claim:
    model = _model()
    higher_maml(model, published().support, published().query, ALPHA, STEPS)
    found = _found(model)
    assert found is not None
    from_first = numeral(angle(found, landmarks()["first order"]), 3)
    off = numeral(relative(found, landmarks()["exact"]), 2)
    said = f"With nothing detached it is {from_first}° from the first-order gradient, and {off} from full MAML's."
    return Claim(32, "true" if _is(found, "first order") else "false", said)


def claim_33() -> Claim:
    model = _model()
    theta = phi = [p.clone().detach().requires_grad_() for p in model.parameters()]
    for _ in range(STEPS):
        loss = _with(model, phi, published().support)
        phi = [p - ALPHA * g for p, g in zip(phi, torch.autograd.grad(loss, phi), strict=True)]
    adapted = [p.detach().requires_grad_() for p in phi]
    query_loss = _with(model, adapted, published().query)
    at_phi = _flat(list(torch.autograd.grad(query_loss, adapted, retain_graph=True)))
    query_loss.backward()
    lost, usable = all(p.grad is None for p in theta), _is(at_phi, "first order")
    off = numeral(relative(at_phi, landmarks()["first order"]), 2)
    said = f"θ.grad is {'None' if lost else 'a number'}; autograd.grad(L_q, φ) is the first-order gradient, to {off}."
    return Claim(33, ("half" if usable else "true") if lost else "false", said)


def _with(model: nn.Module, params: list[Tensor], batch: Batch) -> Tensor:
    names = [name for name, _ in model.named_parameters()]
    return mse_loss(torch.func.functional_call(model, dict(zip(names, params, strict=True)), (batch.x,)), batch.y)


def claim_34() -> Claim:
    name, low, high = TORCHMETA
    here = tuple(int(part) for part in torch.__version__.split(".")[:2])
    usable = low <= here < high or importlib.util.find_spec("torchmeta") is not None
    said = f"{name}, the last, needs torch from {_dotted(low)} to below {_dotted(high)}; here it is {_dotted(here)}."
    return Claim(34, "true" if usable else "false", said)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
