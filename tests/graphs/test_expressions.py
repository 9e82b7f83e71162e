"""What a reader types: one tree whose text, value, algebra, code and spans agree; else one sentence.

The oracle for `evaluate` is Python itself: the tests (never the engine) eval the code that the tree prints.
"""

import contextlib
import math
import operator
import pickle
import time

import pytest
import sympy
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from maml_core.graphs import expressions
from maml_core.graphs.expressions import ExpressionError, parse
from maml_core.graphs.functions import FUNCTIONS
from maml_core.graphs.nodes import OPERATORS, Binary, Call, Name, Negative, Number
from maml_core.graphs.printing import Part
from maml_core.graphs.trees import Expression

NAMES = ("x", "y", "α")
X = sympy.Symbol("x")


def scalar(value):
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


def values():
    return {"x": scalar(0.7), "y": scalar(-1.3), "α": scalar(2.5)}


def error(text, names=NAMES):
    with pytest.raises(ExpressionError) as caught:
        parse(text, names)
    return caught.value


def attempt(text):
    try:
        return parse(text, NAMES)
    except ExpressionError as problem:
        return problem


numbers = st.builds(Number, st.integers(0, 20) | st.floats(0, 1e300, allow_subnormal=False))
leaves = numbers | st.builds(Name, st.sampled_from(NAMES))
trees = st.recursive(
    leaves,
    lambda inner: (
        st.builds(Negative, inner)
        | st.builds(Binary, st.sampled_from(["+", "-", "*", "/", "**"]), inner, inner)
        | st.builds(Call, st.sampled_from(list(FUNCTIONS)), inner)
    ),
    max_leaves=12,
)
LIMITS = ("Use at most", "Use exponents", "Written out", "Here more than")


def within_limits(tree):
    """The tree as parsed from its own text; trees beyond a limit are no examples."""
    try:
        return parse(str(Expression(tree)), NAMES)
    except ExpressionError as problem:
        assume(not str(problem).startswith(LIMITS))
        raise


def run(code):
    return eval(code, {"torch": torch, **values()})


def same(left, right):
    """The same number of the same kind, nan included."""
    if isinstance(left, torch.Tensor):
        return isinstance(right, torch.Tensor) and torch.equal(left.nan_to_num(7.25), right.nan_to_num(7.25))
    return type(left) is type(right) and (left == right or (math.isnan(left) and math.isnan(right)))


# Text and tree.
@settings(deadline=None)
@given(trees)
def test_the_text_of_a_tree_parses_back_to_it(tree):
    expression = within_limits(tree)
    assert expression.tree == tree
    assert expression == Expression(tree)
    assert hash(expression) == hash(Expression(tree))


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("1-3*x**2", "1 - 3 * x**2"),
        ("-x**2", "-x**2"),
        ("(-x)**2", "(-x)**2"),
        ("(-2)**x", "(-2)**x"),
        ("2**-1", "2**-1"),
        ("x**-y", "x**(-y)"),
        ("2**(-(1**x))", "2**(-1**x)"),
        ("x-(y-α)", "x - (y - α)"),
        ("(x-y)-α", "x - y - α"),
        ("x/(y*α)", "x / (y * α)"),
        ("x*(y/α)", "x * (y / α)"),
        ("(x**y)**α", "(x**y)**α"),
        ("x**(y**α)", "x**y**α"),
        ("x**(y+1)", "x**(y + 1)"),
        ("-(x*y)", "-(x * y)"),
        ("-x*y", "-x * y"),
        ("x*-y", "x * -y"),
        ("x - -y", "x - -y"),
        ("--x", "--x"),
        ("+x", "x"),
        ("x + + - +y", "x + -y"),
        ("  ( (x) ) ", "x"),
        ("sin( (x+1) )", "sin(x + 1)"),
        ("2.", "2.0"),
        (".5", "0.5"),
        ("1e-5", "1e-05"),
        ("1E3", "1000.0"),
        ("2*x+3", "2 * x + 3"),
        ("ｘ + 1", "x + 1"),
    ],
)
def test_the_canonical_text_has_the_fewest_parentheses(typed, printed):
    assert str(parse(typed, NAMES)) == printed


def test_a_literal_minus_two_is_the_negative_of_two():
    assert parse("-2", ()).tree == Negative(Number(2))


def test_a_power_binds_more_tightly_than_a_minus():
    assert parse("-x**2", NAMES).tree == Negative(Binary("**", Name("x"), Number(2)))


def test_two_and_two_point_zero_are_different_trees():
    assert parse("2", ()) != parse("2.0", ())


def test_names_are_those_used():
    assert parse("x + x * α", NAMES).names == {"x", "α"}


def test_a_name_is_recognised_as_python_reads_it():
    assert parse("μ + µ", ["µ"]).names == {"µ"}  # the Greek letter and the micro sign on a keyboard
    assert parse("ϕ * 2", ["ϕ"]).evaluate({"ϕ": 3}) == 6.0


# Values.
@settings(max_examples=150, deadline=None)
@given(trees)
def test_evaluate_does_what_the_printed_code_does(tree):
    expression = within_limits(tree)
    assert same(expression.evaluate(values()), run(expression.code()))


@settings(max_examples=100, deadline=None)
@given(trees)
def test_each_part_of_the_code_computes_the_value_observed_for_it(tree):
    expression = within_limits(tree)
    text, parts = expression.rendered("torch.")
    seen = []
    expression.evaluate(values(), lambda index, value: seen.append((index, value)))
    assert [index for index, _ in seen] == list(range(len(parts)))
    for (_, value), part in zip(seen, parts, strict=True):
        assert same(value, run(text[part.start : part.end]))


@settings(max_examples=100, deadline=None)
@given(trees)
def test_each_span_of_the_text_parses_to_its_part(tree):
    expression = within_limits(tree)
    text, parts = expression.rendered()
    assert (text, parts) == (str(expression), expression.parts)
    for part in parts:
        assert parse(text[part.start : part.end], NAMES).tree == part.node


def test_parts_come_in_the_order_of_evaluation():
    expression = parse("1 - 3 * (x + y)**2", NAMES)
    text = str(expression)
    spans = [text[part.start : part.end] for part in expression.parts]
    assert spans == ["1", "3", "x", "y", "x + y", "2", "(x + y)**2", "3 * (x + y)**2", text]
    assert expression.parts[-1] == Part(expression.tree, 0, len(text))


def test_the_nodes_are_those_of_the_python_line():
    seen = []
    parse("1 - 3*x**2", NAMES).evaluate(values(), lambda _, value: seen.append(value))
    recorded = [type(value.grad_fn).__name__ for value in seen if isinstance(value, torch.Tensor) and value.grad_fn]
    assert recorded == ["PowBackward0", "MulBackward0", "RsubBackward1"]


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("x + 1", "AddBackward0"),
        ("1 + x", "AddBackward0"),
        ("x - 1", "SubBackward0"),
        ("1 - x", "RsubBackward1"),
        ("1 / x", "MulBackward0"),
        ("x / y", "DivBackward0"),
        ("2**x", "PowBackward2"),
        ("x**y", "PowBackward1"),
        ("-x", "NegBackward0"),
        ("softplus(x)", "SoftplusBackward0"),
    ],
)
def test_each_operation_leaves_its_own_node(text, node):
    assert type(parse(text, NAMES).evaluate(values()).grad_fn).__name__ == node


def test_numbers_stay_pythons_own():
    seen = []
    parse("x**2 + 2 * 3", NAMES).evaluate(values(), lambda _, value: seen.append(value))
    assert [value for value in seen if isinstance(value, int)] == [2, 2, 3, 6]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/0", math.inf),
        ("-1/0", -math.inf),
        ("0/0", math.nan),
        ("0**-1", math.inf),
        ("1e300**2", math.inf),
        ("10.0**16 * 1e300", math.inf),
        ("(-8)**(1/3)", math.nan),
        ("log(0)", -math.inf),
        ("log(-1)", math.nan),
        ("sqrt(-1)", math.nan),
        ("exp(1000)", math.inf),
        ("sin(1)", math.sin(1)),
        ("2 * 3", 6),
        ("1 / 4", 0.25),
        ("2**10", 1024),
        ("10**15 * 10", 1e16),
    ],
)
def test_constants_have_ieee_values_and_are_plain_numbers(text, value):
    result = parse(text, ()).evaluate({})
    assert same(result, value) or result == pytest.approx(value, rel=1e-15)
    assert same(result, run(parse(text, ()).code()))


@pytest.mark.parametrize("text", ["log(-x)", "1 / (x - x)", "sqrt(-x)", "x**0.5 / 0", "99999**16 * x"])
def test_domain_errors_of_tensors_are_results_not_exceptions(text):
    assert parse(text, NAMES).evaluate(values()).dtype == torch.float64


def test_values_may_be_plain_numbers():
    assert parse("1 / x", NAMES).evaluate({"x": 0}) == math.inf
    assert parse("x**x", NAMES).evaluate({"x": 10**6}) == math.inf


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_constants_do_not_change_the_type_of_a_tensor(dtype):
    x = torch.tensor(2.0, dtype=dtype)
    for text in ("sin(1) * x", "x + 1 / 0", "10**15 * 10**15 - x"):
        assert parse(text, NAMES).evaluate({"x": x}).dtype == dtype


# Algebra.
SAFE = {"log": (0.1, 4), "sqrt": (0.1, 4), "tan": (-1.2, 1.2)}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_torch_and_sympy_agree_on_value_and_two_derivatives(name):
    expression = parse(f"{name}(x)", NAMES)
    algebra = [sympy.diff(expression.sympy(), X, order) for order in range(3)]
    low, high = SAFE.get(name, (-3, 3))
    for point in torch.linspace(low, high, 8, dtype=torch.float64).tolist():  # 8 points: none of them is 0
        x = scalar(point)
        value = expression.evaluate({"x": x})
        (first,) = torch.autograd.grad(value, x, create_graph=True)
        second = torch.autograd.grad(first, x)[0] if first.requires_grad else torch.tensor(0.0)
        for ours, theirs in zip((value, first, second), algebra, strict=True):
            assert ours.item() == pytest.approx(float(theirs.subs(X, point).evalf()), rel=1e-9, abs=1e-12)
            assert float(sympy.lambdify(X, theirs)(point)) == pytest.approx(ours.item(), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("name", "slope"), [("relu", 0), ("abs", 0), ("sigmoid", 0.25), ("softplus", 0.5)])
def test_at_zero_sympy_takes_the_slope_that_pytorch_takes(name, slope):
    expression = parse(f"{name}(3 * x)", NAMES)
    x = scalar(0.0)
    (ours,) = torch.autograd.grad(expression.evaluate({"x": x}), x)
    theirs = float(sympy.diff(expression.sympy(), X).subs(X, 0).evalf())
    assert ours.item() == theirs == 3 * slope


@pytest.mark.parametrize("name", ["relu", "abs"])
def test_the_slope_of_a_slope_with_a_kink_is_zero(name):
    assert sympy.diff(parse(f"{name}(x)", NAMES).sympy(), X, 2) == 0


@pytest.mark.parametrize(
    "text",
    [
        "1 - 3*x**2",
        "x*y/(x + 4)",
        "exp(-x**2)*sin(y)",
        "sigmoid(x*y)**3",
        "softplus(x - y)/α",
        "relu(x)*abs(y)",
        "2**x + x**-3",
        "sqrt(x**2 + y**2)",
        "log(softplus(y))",
        "0.4*x**2*y",
        "abs(log(x))",
        "tanh(x/3)**2",
    ],
)
def test_gradients_agree_with_algebra(text):
    expression, inputs = parse(text, NAMES), values()
    used = sorted(expression.names)
    grads = torch.autograd.grad(expression.evaluate(inputs), [inputs[name] for name in used])
    point = {sympy.Symbol(name): value.item() for name, value in inputs.items()}
    for name, ours in zip(used, grads, strict=True):
        theirs = sympy.diff(expression.sympy(), sympy.Symbol(name)).subs(point).evalf()
        assert ours.item() == pytest.approx(float(theirs), rel=1e-10)


plain = st.recursive(
    st.builds(Number, st.integers(1, 9)) | st.builds(Name, st.sampled_from(NAMES)),
    lambda inner: (
        st.builds(Negative, inner)
        | st.builds(Binary, st.sampled_from(["+", "-", "*"]), inner, inner)
        | st.builds(Call, st.sampled_from(["sin", "cos", "tanh", "sigmoid", "softplus", "abs", "relu"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(plain)
def test_random_expressions_have_the_same_value_in_torch_and_sympy(tree):
    expression = within_limits(tree)
    point = {name: value.item() for name, value in values().items()}
    sizes = []
    ours = float(expression.evaluate(point, lambda _, value: sizes.append(abs(float(value)))))
    theirs = sympy.lambdify(sympy.symbols(NAMES), expression.sympy(), "math")(*point.values())
    assert ours == pytest.approx(float(theirs), rel=1e-6, abs=1e-8 * max(1, *sizes))


@settings(max_examples=60, deadline=None)
@given(trees)
def test_algebra_of_any_expression_is_an_expression_or_too_large(tree):
    expression = within_limits(tree)
    started = time.process_time()
    with contextlib.suppress(OverflowError):
        assert isinstance(expression.sympy(), sympy.Expr)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "text", ["((((2*x)**16)**16)**16)**16", "2**(2**(2**(9 + x - x)))", "(2*x)**(9**(9 + x - x))"]
)
def test_a_power_with_too_many_digits_is_refused_at_once(text):
    with pytest.raises(OverflowError, match="too many digits"):
        parse(text, NAMES).sympy()


def test_towers_of_exponentials_end_at_infinity():
    assert parse("exp(exp(exp(exp(9.5 + x - x))))", NAMES).sympy() == sympy.oo
    assert parse("exp(exp(exp(exp(9))))", NAMES).sympy() == sympy.oo


def test_whole_numbers_are_exact_and_decimals_show_as_typed():
    assert parse("x / 3 + 1 / 3", NAMES).sympy() == X / 3 + sympy.Rational(1, 3)
    assert sympy.latex(parse("0.4 * x", NAMES).sympy()) == "0.4 x"


def test_sympy_expressions_can_be_pickled():
    algebra = sympy.diff(parse("relu(x) + abs(x) + sigmoid(x) + softplus(x)", NAMES).sympy(), X)
    assert pickle.loads(pickle.dumps(algebra)) == algebra


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("1 - 3*x**2", r"1 - 3 \, x^{2}"),
        ("2*3", r"2 \cdot 3"),
        ("x*-y", r"x \cdot \left(-y\right)"),
        ("x/(y + 1)", r"\frac{x}{y + 1}"),
        ("(x/y)**2", r"\left(\frac{x}{y}\right)^{2}"),
        ("(x**2)**3", r"\left(x^{2}\right)^{3}"),
        ("exp(x)**2", r"\left(e^{x}\right)^{2}"),
        ("x - (y - 1)", r"x - \left(y - 1\right)"),
        ("-(x + y)", r"-\left(x + y\right)"),
        ("0.4*abs(x)", r"0.4 \, \left|x\right|"),
        ("sqrt(x)*sin(y)", r"\sqrt{x} \, \sin\left(y\right)"),
        ("α", r"\alpha"),
    ],
)
def test_latex_keeps_the_order_typed(text, latex):
    assert parse(text, NAMES).latex({"α": r"\alpha"}) == latex


def test_our_own_functions_have_latex_in_sympy_too():
    slope = sympy.diff(parse("abs(x)**2", NAMES).sympy(), X)
    assert sympy.latex(slope) == r"2 \left|x\right| \operatorname{sign}{\left(x \right)}"


# Code.
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("sin(x)**2", "torch.sin(x)**2"),
        ("abs(relu(x))", "torch.abs(torch.relu(x))"),
        ("softplus(x)", "torch.nn.functional.softplus(x)"),
        ("sin(1) * x", "torch.sin(torch.tensor(1, dtype=torch.float64)).item() * x"),
        ("1 / 0 + x", "(torch.tensor(1, dtype=torch.float64) / 0).item() + x"),
        ("2 / 4 + x", "2 / 4 + x"),
    ],
)
def test_code_is_what_a_script_can_run(text, code):
    assert parse(text, NAMES).code() == code


# What is refused.
HOSTILE = [
    "", "   ", "()", "sin", "sin x", "sin()", "sin 2", "2x", "2 x", "2(x)", "x(2)", "(x)(y)", "x y",
    "x sin(y)", "x = 3", "x == 3", "x := 3", "x; y", "x, y", "(x, y)", "lambda: 3", "lambda x: x", "x.y",
    "x.__class__", "().__class__.__bases__[0]", "__import__('os')", "'a'", '"a"', 'f"{x}"', "b'a'", "x < y",
    "x <= y", "2j", "1e3j", "True", "None", "not x", "x and y", "x if y else x", "x is y", "x in y", "[x]",
    "{x}", "{x: y}", "x[0]", "sin(x=2)", "sin(*x)", "sin(**x)", "sin(x, y)", "sin(x,)", "*x", "**x", "x +",
    "+", "-", "* x", "x *", "x * * y", "x *** y", "x // y", "x % y", "x @ y", "x ^ 2", "x & y", "~x",
    "x << 2", "x!", "x?", "$x", "x\\", "1..2", "1.2.3", "1_000", "0x10", "0b1", "0o7", "01", "00", "2e",
    "1e999", "1" * 200, "1" * 16, "nan", "inf", "pi", "x # comment", "x\ny", "x\n", "\nx", "\tx", "x\x00",
    "x\r", "\ufeffx", "x\u202ey", "x\u200by", "x\xa0y", "x\ud800", "٣", "x²", "½", "x − y", "x × y", "√x",
    "😀", "x̂", "(", ")", "(x", "x)", ")(", "((x)", "(x))", "9**9**9", "x**17", "x**-17", "x**16.5",
    "x**(1/0)", "x**(0/0)", "x**(10**400)", "-" * 199 + "x", "-" * 13 + "x", "(" * 199, "(" * 99 + ")" * 99,
    "sin(" * 49 + "x" + ")" * 49, "x+" * 90 + "x", "x" * 200, "x " * 100, "x" * 10**5, "await x", "yield",
    "x for x in y", "print(x)", "eval(x)", "exec(x)", "sin.__call__(x)", "x if", "`x`", "x'", "lambda",
    "import os", "_", "__", "....", "...", "x..", "5.sin", "0.5.5", "++", "x+-", "1/", "sin(sin)", "sin**2",
]  # fmt: skip


def is_one_sentence(problem, text):
    sentence = str(problem)
    return (
        isinstance(problem.position, int)
        and 0 <= problem.position <= len(text)
        and sentence.endswith(".")
        and ". " not in sentence
        and sentence.isprintable()
        and len(sentence) < 300
    )


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:24]))
def test_what_cannot_be_read_gets_one_sentence_and_a_place(text):
    started = time.process_time()
    assert is_one_sentence(error(text), text)
    assert time.process_time() - started < 0.05


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=220) | st.text("xyα0123456789.eE+-*/() ^²_=,sincoj", max_size=40))
def test_no_text_raises_anything_else(text):
    result = attempt(text)
    if isinstance(result, Expression):
        assert parse(str(result), NAMES) == result
    else:
        assert is_one_sentence(result, text)


tokens = st.lists(st.sampled_from(["x", "α", "2", "0.5", "sin", "(", ")", "(", ")", "+", "-", "*", "/", "**", " "]))


@settings(max_examples=500, deadline=None)
@given(tokens)
def test_python_accepts_every_text_that_our_own_rules_accept(parts):
    assert "Python" not in str(attempt("".join(parts)))


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("x ^ 2", 2, "Write ** for a power"),
        ("1 + 2x", 5, "write 2 * x"),
        ("2(x)", 1, "write 2 * (…)"),
        ("x y", 2, "write x * y"),
        ("5.sin(x)", 2, "write 5 * sin(…)"),
        ("2sin(x)", 1, r"write 2 * sin(…)"),
        ("sin x", 4, "sin(x)"),
        ("x = 3", 2, "Leave out `=`"),
        ("sin(x, y)", 5, "exactly one number"),
        ("α * β", 4, "There is no `β`"),
        ("αα", 0, "There is no `αα`"),
        ("α + α**99", 7, "exponents from -16 to 16"),
        ("  α + α**99", 9, "exponents from -16 to 16"),
        ("x +", 3, "after `+`"),
        ("(x + (y)", 0, "never closed"),
        ("x)", 1, "no opening one"),
        ("x\u202ey", 1, "U+202E"),
        ("1e999", 0, "too large"),
        ("2j", 0, "not a number"),
        ("", 0, "Type an expression: you can use x, y, α"),
    ],
)
def test_the_caret_goes_where_the_mistake_is(text, position, words):
    problem = error(text)
    assert problem.position == position
    assert words in str(problem)


@pytest.mark.parametrize(
    ("word", "meant"), [("sine", "sin"), ("Sin", "sin"), ("ln", "log"), ("sigmoind", "sigmoid"), ("X", "x")]
)
def test_an_unknown_name_suggests_the_nearest(word, meant):
    assert f"There is no `{word}` here (did you mean `{meant}`?): you can use x, y, α and" in str(error(word))


def test_a_name_like_nothing_else_gets_no_suggestion():
    assert "did you mean" not in str(error("qqqq"))


# The limits, at their edges.
def test_two_hundred_characters_are_allowed_and_one_more_is_not():
    assert parse("x".ljust(200), NAMES).tree == Name("x")
    assert error("x".ljust(201)).position == 200


def test_forty_nodes_are_allowed_and_one_more_is_not():
    balanced = "((x+x+x+x+x)*(x+x+x+x+x))+((x+x+x+x+x)*(x+x+x+x))"  # 19 names, 18 operators
    assert len(parse(f"-({balanced})*x", NAMES).parts) == 40
    assert "at most 40" in str(error(f"sin(-({balanced})*x)"))


def test_twelve_operations_deep_is_allowed_and_one_more_is_not():
    assert len(parse("-" * 12 + "x", NAMES).parts) == 13
    assert error("-" * 13 + "x").position == 12
    assert len(parse("x" + "+x" * 12, NAMES).parts) == 25
    assert "12 is the most" in str(error("x" + "+x" * 13))


@pytest.mark.parametrize("exponent", ["16", "-16", "16.0", "(8 + 8)", "(y + 99)", "99 ** 0"])
def test_exponents_up_to_sixteen_or_with_names_are_allowed(exponent):
    parse(f"x**{exponent}", NAMES)


@pytest.mark.parametrize("exponent", ["17", "-17", "16.001", "(8 + 9)", "(1/0)", "2**5"])
def test_constant_exponents_beyond_sixteen_are_not(exponent):
    assert "from -16 to 16" in str(error(f"x**{exponent}"))


def test_whole_numbers_up_to_ten_to_the_fifteen_are_allowed():
    assert parse(str(10**15), ()).tree == Number(10**15)
    assert "too large" in str(error(str(10**15 + 1)))


def test_a_text_that_grows_beyond_its_limit_when_printed_is_refused():
    typed = "+".join(["1e15*1e15*1e15*1e15"] * 5)
    assert len(typed) < 200
    assert "Written out" in str(error(typed))


def test_the_limits_are_the_ones_promised():
    limits = (expressions.LONGEST, expressions.DEEPEST, expressions.LARGEST_EXPONENT, expressions.MOST_NODES)
    assert limits == (200, 12, 16, 40)


def test_operators_are_pythons_own():
    assert set(OPERATORS.values()) == {
        operator.add, operator.sub, operator.mul, operator.truediv, operator.pow
    }  # fmt: skip
