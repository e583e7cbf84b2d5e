"""The rules of a Choice state as formulas, and which of them is taken for what is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.exploring.candidates import KINDS, TIMESTAMP, neighbours, pattern_examples, timestamps_near
from asl_engine.exploring.flows import evaluated_path, path_term
from asl_engine.exploring.formulas import AllParts, AnyPart, Atom, Negation
from asl_engine.exploring.terms import ConstantTerm, GivenTerm
from asl_engine.expressions.choice_rule import COMPARISONS, JOINS, OPERATORS, TYPE_TESTS, compile_rule
from asl_engine.expressions.delimiters import CLOSING, OPENING, is_expression
from asl_engine.expressions.errors import ExpressionSyntaxError
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from asl_engine.exploring.formulas import Formula
    from asl_engine.exploring.term_scope import TermScope
    from asl_engine.exploring.terms import Docs, GivenPlace, Term
    from asl_engine.json_values import Json, Missing

__all__ = ["DEFAULT", "FAILS", "ChoiceRules", "choice_rules"]

DEFAULT: Final = -1
FAILS: Final = -2  # no rule can be chosen: a path leads nowhere, or nothing matches and there is no Default


class ChoiceRules(NamedTuple):
    """The rules of a Choice as it was entered: as formulas to be solved, and as the tests that the engine makes.

    ``has_default`` tells whether it has a Default.
    """

    formulas: Sequence[Formula]
    tests: Sequence[Callable[[Docs], bool]]
    has_default: bool

    def needed(self, outcome: int) -> list[tuple[Formula, bool]]:
        """What has to hold for a rule, by its index, or for ``DEFAULT``."""
        if outcome == DEFAULT:
            return [(formula, False) for formula in self.formulas]
        return [*((formula, False) for formula in self.formulas[:outcome]), (self.formulas[outcome], True)]

    def outcome(self, docs: Docs) -> int:
        """The index of the rule that is taken, ``DEFAULT`` or ``FAILS``."""
        for index, test in enumerate(self.tests):
            try:
                if test(docs):
                    return index
            except Exception:  # noqa: BLE001  whatever the expressions raise fails the state
                return FAILS
        return DEFAULT


def choice_rules(source: Mapping[str, Any], around: TermScope) -> ChoiceRules:
    """The rules of a Choice state, which sees ``around``."""
    rules: Sequence[dict[str, Any]] = source["Choices"]
    if around.language == "JSONata":
        formulas = [_condition(rule["Condition"], around) for rule in rules]
        tests = [_condition_test(rule["Condition"], around) for rule in rules]
    else:
        within = around.over(evaluated_path(source.get("InputPath", "$"), around))
        formulas = [_rule(rule, within) for rule in rules]
        tests = [_rule_test(rule, within) for rule in rules]
    return ChoiceRules(formulas, tests, "Default" in source)


def _rule_test(rule: dict[str, Any], around: TermScope) -> Callable[[Docs], bool]:
    test = compile_rule(rule, _ignore)
    assert test is not None  # noqa: S101  the definition was accepted
    return lambda docs: test(around.scope(docs))


def _condition_test(condition: Any, around: TermScope) -> Callable[[Docs], bool]:
    """Raises where the condition has another value than true or false, as the engine does."""
    if not is_expression(condition):
        return lambda _: condition is True
    from asl_engine.expressions.jsonata import compile_jsonata

    expression = compile_jsonata(condition[len(OPENING) : -len(CLOSING)].strip())

    def test(docs: Docs) -> bool:
        value = expression(around.bindings(docs, expression))
        if not isinstance(value, bool):
            raise TypeError
        return value

    return test


def _condition(condition: Any, around: TermScope) -> Formula:
    if not is_expression(condition):
        return Atom(lambda _: condition is True, frozenset(), (), exact=True)
    from asl_engine.exploring.jsonata_terms import condition_formula

    return condition_formula(condition[len(OPENING) : -len(CLOSING)].strip(), around)


def _rule(rule: dict[str, Any], around: TermScope) -> Formula:
    name = next(field for field in rule if field in OPERATORS)
    operand = rule[name]
    if name in JOINS:
        parts = [_rule(inner, around) for inner in operand]
        return AllParts(parts) if name == "And" else AnyPart(parts)
    if name == "Not":
        return Negation(_rule(operand, around))
    terms = [_term(rule["Variable"], around)]
    candidates, exact = _candidates(name, operand)
    if name.endswith("Path") and name.removesuffix("Path") in COMPARISONS:
        terms.append(_term(operand, around))
    test = compile_rule({field: rule[field] for field in ("Variable", name)}, _ignore, nested=True)
    assert test is not None  # noqa: S101  the definition was accepted
    places: frozenset[GivenPlace] = frozenset(place for term in terms for place in term.places())

    def holds(docs: Docs) -> bool:
        return test(around.scope(docs))

    traced = all(_is_given(term) for term in terms)
    return Atom(holds, places, candidates, exact=exact and traced, is_pattern=name == "StringMatches")


def _is_given(term: Term) -> bool:
    return isinstance(term, GivenTerm | ConstantTerm)


def _term(path: str, around: TermScope) -> Term:
    try:
        return path_term(path, around)
    except ExpressionSyntaxError:
        return ConstantTerm(MISSING)


def _ignore(place: str, message: str) -> None:
    """The definition was accepted: there is nothing to report."""


def _candidates(name: str, operand: Any) -> tuple[tuple[Json | Missing, ...], bool]:
    """What is worth trying for an operator, and whether that is one of each kind that it tells apart."""
    if name in TYPE_TESTS:
        first: list[Json | Missing] = [TIMESTAMP] if name == "IsTimestamp" else []
        return (*first, *KINDS, TIMESTAMP), True
    if name == "IsPresent":
        return KINDS, True
    if name == "StringMatches":
        return (*pattern_examples(operand), *neighbours([])), True
    base = name.removesuffix("Path")
    if base != name:
        return (*_samples(base), *KINDS), True
    if base.startswith("Timestamp"):
        return (operand, *timestamps_near(operand), *KINDS), True
    return neighbours([operand]), True


def _samples(comparison: str) -> Sequence[Json]:
    if comparison.startswith("Timestamp"):
        return [TIMESTAMP, *timestamps_near(TIMESTAMP)]
    if comparison.startswith("Numeric"):
        return [1, 2, 0]
    return [True, False] if comparison.startswith("Boolean") else ["a", "b", "c"]
