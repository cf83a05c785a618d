"""From words to their meaning: a grammar puts them together, and the rules say what each part means, leaves first.

Both readers of text come through here, each with a grammar and rules of its own. Nothing recurses over the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from matcalc.read.text.terms import Term
from matcalc.read.text.words import Word

if TYPE_CHECKING:
    from lark import Lark

_LISTS = ("items", "arguments", "rows", "row", "sizes")  # rules that are lists of parts


@cache
def _parser(grammar: str) -> Lark:
    from lark import Lark
    from lark.lexer import Lexer

    class Given(Lexer):
        """The words are handed over one by one, so there is nothing to find."""

        def __init__(self, conf: Any) -> None:
            pass

        def lex(self, *given: Any) -> Any:
            return iter(())

    return Lark(grammar, parser="lalr", lexer=Given, maybe_placeholders=True)


def meant(grammar: str, words: Sequence[Word], rules: Any, stop: int) -> Term:
    """What the words mean by the rules; ParseError at the first that does not fit. The text of the words ends at ``stop``."""
    return _walked(_tree(grammar, words, rules, stop), rules)


def _tree(grammar: str, words: Sequence[Word], rules: Any, stop: int) -> Any:
    from lark import Token
    from lark.exceptions import UnexpectedToken

    parser = _parser(grammar).parse_interactive()
    before = ""
    for word in words:
        token = Token(word.kind, word.text)
        token.value = word
        try:
            parser.feed_token(token)
        except UnexpectedToken:
            raise rules.error(rules.unexpected(word, before), word.at) from None
        before = word.text
    try:
        return parser.feed_eof()  # type: ignore[no-untyped-call]
    except UnexpectedToken:
        sentence = "the text ends where something is still missing" if words else "there is nothing to read"
        raise rules.error(sentence, len(rules.text[:stop].rstrip())) from None


def _walked(tree: Any, rules: Any) -> Term:
    """The meaning of a tree, its leaves first, left to right."""
    from lark import Tree

    done: list[Any] = []
    stack: list[tuple[Any, bool]] = [(tree, False)]
    while stack:
        item, entered = stack.pop()
        if not isinstance(item, Tree):
            done.append(item if item is None else item.value)
        elif entered:
            count = len(item.children)
            given = done[len(done) - count :]
            del done[len(done) - count :]
            done.append(_meaning(item.data, given, rules))
        else:
            stack.append((item, True))
            stack.extend((child, False) for child in reversed(item.children))
    return done[0]


def _meaning(rule: str, given: list[Any], rules: Any) -> Any:
    """The meaning of a rule: the lists as lists, everything else by its method."""
    if rule == "start":
        return given[0]
    if rule == "end":
        return given[0] if given else None
    if rule == "span":
        return given[0], given[2]
    if rule in _LISTS:
        return [a for a in given if not isinstance(a, Word)]
    if rule == "keyword":
        given[1].name = given[0].meaning
        return given[1]
    method = getattr(rules, "signed" if rule == "negative" else rule)
    return method(*given)
