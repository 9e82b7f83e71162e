"""The meta-gradient of the published problem, in PyTorch: reads problem.json, writes meta_gradient.json."""

import json
from pathlib import Path

import torch
from torch.func import grad

torch.set_default_dtype(torch.float64)
problem = json.loads(Path("problem.json").read_text())
theta = {name[6:]: torch.tensor(value) for name, value in problem.items() if name.startswith("theta.")}
support, query = ((torch.tensor(problem[s + ".x"]), torch.tensor(problem[s + ".y"])) for s in ("support", "query"))


def loss(params, batch):
    x, y = batch
    hidden = torch.tanh(x @ params["0.weight"].T + params["0.bias"])
    return (hidden @ params["2.weight"].T + params["2.bias"] - y).square().mean()


def meta_loss(phi):
    for _ in range(problem["steps"]):
        inner = grad(loss)(phi, support)
        phi = {name: p - problem["alpha"] * inner[name] for name, p in phi.items()}
    return loss(phi, query)


found = grad(meta_loss)(theta)
answer = {name: g.tolist() for name, g in found.items()}
Path("meta_gradient.json").write_text(json.dumps(answer))
