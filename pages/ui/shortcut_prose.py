"""The longer sentences of lesson 6."""

ON_MAP = (
    "Drag θ, or move it with the arrow keys. On the map v plays the head and u the body. Meta-SGD is not drawn: with "
    "all its rates at α its arrow is MAML's."
)
TRUNCATED = r"""
Walk back from φ through the last m of the k steps, and stop. What you hold there is the gradient with respect to the
stop $\phi_{k-m}$; truncation hands it to θ as it is. So the steps before are taken to carry a nudge of θ along
without bending it. In lesson 5's ledger these are the first m + 1 bars: the other k − m are dropped. Little is lost
where those are short, that is, where the *first* steps bend little. What is saved is their graph.

The paper's guarantees are for hyperparameters, which act in every step. θ acts through the first step alone, so what
truncation leaves out here is what is nearest to θ.
"""
HONEST = r"""
iMAML's formula, $(I + H/\lambda)^{-1}\nabla L_q(\phi)$, is the exact gradient of a *minimum*: that of the support
loss plus a pull back to θ, $\lambda/2\,\lVert\phi-\theta\rVert^2$. A program has neither the minimum nor the inverse.
It has some inner steps and some CG steps, and each leaves a residual. The lab below goes after the last digit of
both, on a smaller network (1-16-16-1, tanh), and then does less.
"""
LEAP = r"""
A forum thread asks how to take many small inner steps and then differentiate *one leap* from θ to where they ended.
A hook that swaps the gradient for the constant (θ − φ)/β cannot do it: a constant has no derivative, so what is left
is FOMAML. What works is a ψ with the *value* of φ and the *derivative* of one step of rate β from θ:

```python
phi = adapt(theta, steps=k)                                # many small steps, no graph
(g,) = torch.autograd.grad(support_loss(theta), theta, create_graph=True)
one = theta - beta * g                                     # one leap, with its graph
psi = phi.detach() + (one - one.detach())                  # φ's value, the leap's derivative
query_loss(psi).backward()                                 # (I − βH(θ)) ∇L_q(φ)
```

Its memory is that of one step, whatever k. Call it a one-leap estimator after the idea in that thread. The check
that its poster proposes is a good one: with a single inner step, it must be MAML.
"""
TAKEAWAY = (
    "A shortcut puts something cheaper in the place of the product of Jacobians. While αH is small, that costs next "
    "to nothing, unless it also looks elsewhere, as Reptile does (at the support set) and iMAML (at another point). "
    "Where it is not small, who is closest depends on θ, k and α, and has to be measured."
)
SOURCES = (
    "C. Finn, P. Abbeel, S. Levine (2017), MAML and its first-order version: "
    "[arXiv 1703.03400](https://arxiv.org/abs/1703.03400).",
    "A. Nichol, J. Achiam, J. Schulman (2018), Reptile: [arXiv 1803.02999](https://arxiv.org/abs/1803.02999).",
    "A. Raghu, M. Raghu, S. Bengio, O. Vinyals (2020), ANIL: [arXiv 1909.09157](https://arxiv.org/abs/1909.09157).",
    "J. Oh, H. Yoo, C. Kim, S.-Y. Yun (2021), BOIL: [arXiv 2008.08882](https://arxiv.org/abs/2008.08882).",
    "Z. Li, F. Zhou, F. Chen, H. Li (2017), Meta-SGD: [arXiv 1707.09835](https://arxiv.org/abs/1707.09835).",
    "A. Rajeswaran, C. Finn, S. Kakade, S. Levine (2019), iMAML: "
    "[arXiv 1909.04630](https://arxiv.org/abs/1909.04630).",
    "A. Shaban, C.-A. Cheng, N. Hatch, B. Boots (2019), truncated back-propagation: "
    "[arXiv 1810.10667](https://arxiv.org/abs/1810.10667).",
    "The one leap answers a question in the PyTorch forum about “lazy” MAML. Its formula is ours to answer for: it "
    "is not taken from the paper of that name.",
)
