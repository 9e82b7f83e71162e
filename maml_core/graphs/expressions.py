"""What a reader types becomes one checked tree, or one sentence that says what is wrong and where.

Three gates, cheapest first: characters, then tokens (which words, and what may stand beside what), then the
tree. Python's own parser builds the tree, so precedence is Python's; by then the text can hold nothing but
numbers, known words, parentheses and + - * / **, so nearly every mistake is found with its exact place.
No text is ever evaluated.
"""

import ast
import difflib
import math
import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import NamedTuple

from maml_core.graphs.functions import FUNCTIONS
from maml_core.graphs.nodes import (
    LARGEST_INTEGER,
    OPERATORS,
    SIGNS,
    Binary,
    Call,
    Name,
    Negative,
    Node,
    Number,
    constant,
)
from maml_core.graphs.trees import Expression

LONGEST = 200  # characters, as typed and as printed
MOST_NODES = 40  # numbers, names, operators and functions
DEEPEST = 12  # operations inside one another
LARGEST_EXPONENT = 16  # of a constant exponent


class ExpressionError(ValueError):
    """One sentence about what was typed, and the character (from 0) at which the caret goes."""

    def __init__(self, sentence: str, position: int) -> None:
        super().__init__(sentence)
        self.position = position


INSTEAD = {"^": "**", "²": "**2", "³": "**3", "√": "sqrt", "//": "/", "[": "(", "]": ")", "{": "(", "}": ")"}
INSTEAD |= {"−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/", "ln": "log"}
NO_PLACE = {
    "=": "Leave out `=`: what belongs here is an expression, not an equation or an assignment.",
    ",": "Leave out `,`: every function here takes exactly one number, and decimals are written 0.5.",
    ".": "Leave out `.`: there are no attributes here, and numbers are written as 3, 0.5 or 1e-3.",
}
TOKEN = re.compile(r"(?P<number>\.?\d(?:[\w.]|(?<=[eE])[+-](?=\d))*)|(?P<word>[^\W\d]\w*)|\*\*|//|\S")
NUMBER = re.compile(r"(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


class Token(NamedTuple):
    kind: str  # value, function, operator, "(" or ")"; start and end at the edges
    text: str
    start: int


def parse(text: str, names: Collection[str]) -> Expression:
    """The expression that was typed, in these names. Raises ExpressionError, and nothing else."""
    _check_characters(text)
    known = {unicodedata.normalize("NFKC", name): name for name in names}  # as Python reads names: µ is μ
    tokens = [_token(match, known) for match in TOKEN.finditer(text)]
    _check_order(tokens, len(text), known)
    nodes = [token for token in tokens if token.kind not in "()"]
    if len(nodes) > MOST_NODES:
        sentence = f"Use at most {MOST_NODES} numbers, names, operators and functions; here are {len(nodes)}."
        raise ExpressionError(sentence, nodes[MOST_NODES].start)
    expression = Expression(_Builder(text, known).tree())
    if len(str(expression)) > LONGEST:
        sentence = f"Written out, this has {len(str(expression))} characters, and {LONGEST} is the most."
        raise ExpressionError(sentence, len(text))
    return expression


def _check_characters(text: str) -> None:
    if len(text) > LONGEST:
        raise ExpressionError(f"Use at most {LONGEST} characters; here are {len(text)}.", LONGEST)
    for position, character in enumerate(text):
        if not character.isprintable():
            sentence = f"Remove the unprintable character U+{ord(character):04X}."
            raise ExpressionError(sentence, position)
        if character in INSTEAD:
            raise ExpressionError(_instead(character), position)


def _instead(symbol: str) -> str:
    use = f" for a {'power' if '**' in INSTEAD[symbol] else 'quotient'}" if symbol in ("^", "//") else ""
    return f"Write {INSTEAD[symbol]}{use} instead of `{symbol}`."


def _token(match: re.Match[str], known: Mapping[str, str]) -> Token:
    text, start = match[0], match.start()
    if match["number"]:
        _check_number(text, start, known)
        return Token("value", text, start)
    if match["word"]:
        return _word(text, start, known)
    if text in "()":
        return Token(text, text, start)
    if text not in OPERATORS:
        meaningless = f"`{text}` has no meaning here: you can use + - * / **, parentheses, {_allowed(known)}."
        raise ExpressionError(_instead(text) if text in INSTEAD else NO_PLACE.get(text, meaningless), start)
    return Token("operator", text, start)


def _check_number(text: str, start: int, known: Mapping[str, str]) -> None:
    glued = re.fullmatch(r"([\d.]+)(.*)", text)
    if NUMBER.fullmatch(text):
        if math.isinf(float(text)) or (text.isdigit() and int(text) > LARGEST_INTEGER):
            sentence = "This number is too large: 10**15 is the most for whole numbers, 1e308 for others."
            raise ExpressionError(sentence, start)
    elif glued and (glued[2] in known or glued[2] in FUNCTIONS):
        factor, shown = glued[1].rstrip("."), glued[2] if glued[2] in known else f"{glued[2]}(…)"
        raise ExpressionError(f"A product needs its sign: write {factor} * {shown}.", start + len(glued[1]))
    else:
        raise ExpressionError(f"`{_short(text)}` is not a number: write 3, 0.5 or 1e-3.", start)


def _word(text: str, start: int, known: Mapping[str, str]) -> Token:
    word = unicodedata.normalize("NFKC", text)
    if word in FUNCTIONS:
        return Token("function", word, start)
    if word in known:
        return Token("value", text, start)
    near = difflib.get_close_matches(word.lower(), [*known, *FUNCTIONS], n=1, cutoff=0.55)
    near = [INSTEAD[word]] if word in INSTEAD else near
    hint = f" (did you mean `{near[0]}`?)" if near else ""
    raise ExpressionError(f"There is no `{_short(text)}` here{hint}: you can use {_allowed(known)}.", start)


def _short(text: str) -> str:
    return text if len(text) <= 20 else text[:19] + "…"


def _allowed(known: Mapping[str, str]) -> str:
    return f"{', '.join(known.values()) or 'numbers'} and the functions {', '.join(FUNCTIONS)}"


def _check_order(tokens: list[Token], end: int, known: Mapping[str, str]) -> None:
    """What may stand beside what, and parentheses in pairs."""
    if not tokens:
        raise ExpressionError(f"Type an expression: you can use {_allowed(known)}.", 0)
    opened: list[Token] = []
    before = Token("start", "", 0)
    for token in [*tokens, Token("end", "", end)]:
        if token.kind == ")" and not opened:
            raise ExpressionError("This closing parenthesis has no opening one before it.", token.start)
        sentence = _clash(before, token)
        if sentence:
            raise ExpressionError(sentence, token.start)
        if token.kind == "(":
            opened.append(token)
        elif token.kind == ")":
            opened.pop()
        before = token
    if opened:
        raise ExpressionError("This parenthesis is never closed: add a `)`.", opened[-1].start)


def _clash(before: Token, token: Token) -> str | None:
    begins = token.kind in ("value", "function", "(")
    if before.kind == "function":
        example = f"{before.text}({token.text if token.kind == 'value' else 2})"
        return None if token.kind == "(" else f"`{before.text}` needs parentheses, as in {example}."
    if before.kind in ("value", ")"):
        return f"A product needs its sign: write {_shown(before)} * {_shown(token)}." if begins else None
    if begins or token.text in ("+", "-"):
        return None
    if before.kind == "(" and token.kind == ")":
        return "Something is missing between these parentheses."
    return f"Something is missing {f'before `{token.text}`' if token.text else f'after `{before.text}`'}."


def _shown(token: Token) -> str:
    return {"(": "(…)", ")": "(…)", "function": f"{token.text}(…)"}.get(token.kind, _short(token.text).rstrip("."))


class _Builder:
    """From Python's syntax tree to ours: nothing but the node types named here passes."""

    def __init__(self, text: str, known: Mapping[str, str]) -> None:
        self.source = text.strip()  # Python takes leading spaces for an indent
        self.margin = len(text) - len(text.lstrip())
        self.known = known

    def tree(self) -> Node:
        try:
            syntax = ast.parse(self.source, mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ExpressionError("Python cannot read this as an expression.", self.margin) from error
        return self.build(syntax.body, 0)

    def build(self, syntax: ast.expr, level: int) -> Node:
        match syntax:
            case ast.Constant(value=int() | float() as value):
                return Number(value)
            case ast.Name(id=name):
                return Name(self.known[name])
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.build(operand, level)
        if level == DEEPEST:
            sentence = f"Here more than {DEEPEST} operations wait for one another, and {DEEPEST} is the most."
            raise ExpressionError(sentence, self.position(syntax))
        match syntax:
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Negative(self.build(operand, level + 1))
            case ast.BinOp(left=left, op=kind, right=right) if type(kind) in SIGNS:
                node = Binary(SIGNS[type(kind)], self.build(left, level + 1), self.build(right, level + 1))
                return self.check_power(node, self.position(right))
            case ast.Call(func=ast.Name(id=function), args=[argument], keywords=[]) if function in FUNCTIONS:
                return Call(function, self.build(argument, level + 1))
        raise ExpressionError("This cannot be part of an expression here.", self.position(syntax))

    def check_power(self, node: Binary, position: int) -> Binary:
        exponent = constant(node.right) if node.operator == "**" else None
        if exponent is None:
            return node
        if not abs(exponent) <= LARGEST_EXPONENT:  # so written, it refuses nan as well
            sentence = f"Use exponents from -{LARGEST_EXPONENT} to {LARGEST_EXPONENT}."
            raise ExpressionError(sentence, position)
        return node

    def position(self, syntax: ast.expr) -> int:
        """Python counts UTF-8 bytes; a caret counts characters."""
        return self.margin + len(self.source.encode()[: syntax.col_offset].decode())
