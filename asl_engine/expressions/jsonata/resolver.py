"""Turns the tree as written into the tree that is evaluated.

Paths are flattened into steps, filters and bindings are attached to the step they belong to, ``%`` is
linked to the step it stands for, and calls in tail position are marked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.functions.regexes import compile_regex
from asl_engine.expressions.jsonata.lexer import END
from asl_engine.expressions.jsonata.syntax import Node, Slot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["resolve"]

LITERALS_THAT_ARE_NO_STEPS: Final = {"number", "value"}


def resolve(root: Node) -> Node:
    """Raises ``JsonataError`` with a position."""
    node = Resolver().resolve(root)
    if node.kind == "parent" or node.seeking:
        raise JsonataError("S0217", root.position, token=node.kind)
    return node


class Resolver:
    def __init__(self) -> None:
        self.slots: list[Slot] = []

    def resolve(self, node: Node) -> Node:
        rule = BINARY.get(node.value) if node.kind == "binary" else RULES.get(node.kind)
        result = (rule or plain)(self, node)
        if node.keep_array:
            result.keep_array = True
        return result

    def parts(self, node: Node) -> Node:
        """The node with its parts resolved; unresolved ``%`` are passed up."""
        node.parts = [self.resolve(part) for part in node.parts]
        seek_further(node, node.parts)
        return node


def plain(resolver: Resolver, node: Node) -> Node:
    return resolver.parts(node)


def seek_further(node: Node, parts: Iterable[Node]) -> None:
    for part in parts:
        node.seeking.extend(part.seeking)
        if part.kind == "parent" and part.ancestor is not None:
            node.seeking.append(part.ancestor)


def name(_: Resolver, node: Node) -> Node:
    path = Node("path", node.position, parts=[node])
    path.keep_singleton = node.keep_array
    return path


def parent(resolver: Resolver, node: Node) -> Node:
    node.ancestor = Slot(f"%{len(resolver.slots)}")
    resolver.slots.append(node.ancestor)
    return node


def object_(resolver: Resolver, node: Node) -> Node:
    node.pairs = [(resolver.resolve(key), resolver.resolve(value)) for key, value in node.pairs]
    seek_further(node, [part for pair in node.pairs for part in pair])
    return node


def negation(resolver: Resolver, node: Node) -> Node:
    resolver.parts(node)
    operand = node.parts[0]
    if operand.kind == "number":
        operand.value = -operand.value
        return operand
    return node


def block(resolver: Resolver, node: Node) -> Node:
    resolver.parts(node)
    node.cons = any(part.cons or (part.kind == "path" and part.parts[0].cons) for part in node.parts)
    return node


def call(resolver: Resolver, node: Node) -> Node:
    resolver.parts(node)
    node.procedure = node.procedure and resolver.resolve(node.procedure)
    return node


def lambda_(resolver: Resolver, node: Node) -> Node:
    node.parts = [resolver.resolve(node.parts[0])]
    mark_tail_calls(node.parts[0])
    return node


def mark_tail_calls(node: Node) -> None:
    if node.predicates or node.group is not None or node.keep_array:
        return
    if node.kind == "function":
        node.kind = "tail call"
    elif node.kind == "condition":
        for branch in node.parts[1:]:
            mark_tail_calls(branch)
    elif node.kind == "block" and node.parts:
        mark_tail_calls(node.parts[-1])


def isolated(resolver: Resolver, node: Node) -> Node:
    """A transform: each of its parts is evaluated against values of its own."""
    node.parts = [resolver.resolve(part) for part in node.parts]
    return node


def path_of(node: Node) -> Node:
    return node if node.kind == "path" else Node("path", node.position, parts=[node])


def step(resolver: Resolver, node: Node) -> Node:
    """``left.right``"""
    first = resolver.resolve(node.parts[0])
    path = path_of(first)
    if first.kind == "parent":
        seek_further(path, [first])
    rest = resolver.resolve(node.parts[1])
    if rest.kind == "path":
        path.parts.extend(rest.parts)
    else:
        rest.stages, rest.predicates = rest.predicates or rest.stages, []
        path.parts.append(rest)
    for part in path.parts:
        if part.kind in LITERALS_THAT_ARE_NO_STEPS:
            raise JsonataError("S0213", part.position, value=part.value)
        if part.kind == "string":
            part.kind = "name"
    path.keep_singleton = path.keep_singleton or any(part.keep_array for part in path.parts)
    for end in (path.parts[0], path.parts[-1]):
        end.cons = end.cons or end.kind == "array"
    link_ancestors(path)
    return path


def filter_(resolver: Resolver, node: Node) -> Node:
    """``left[predicate]``"""
    result = resolver.resolve(node.parts[0])
    target = result.parts[-1] if result.kind == "path" else result
    if target.group is not None:
        raise JsonataError("S0209", node.position)
    predicate = resolver.resolve(node.parts[1])
    for slot in predicate.seeking:
        if slot.level == 1:
            seek_parent(target, slot)
        else:
            slot.level -= 1
    seek_further(target, [predicate] if predicate.seeking else [])
    filters = target.stages if result.kind == "path" else target.predicates
    filters.append(Node("filter", node.position, parts=[predicate]))
    return result


def grouping(resolver: Resolver, node: Node) -> Node:
    """``left{key: value}``"""
    result = resolver.resolve(node.parts[0])
    if result.group is not None:
        raise JsonataError("S0210", node.position)
    pairs = [(resolver.resolve(key), resolver.resolve(value)) for key, value in node.pairs]
    result.group = Node("object", node.position, "{", pairs=pairs)
    return result


def order_by(resolver: Resolver, node: Node) -> Node:
    """``left^(term, >term)``"""
    path = path_of(resolver.resolve(node.parts[0]))
    sort = Node("sort", node.position)
    sort.terms = [(resolver.resolve(term), descending) for term, descending in node.terms]
    seek_further(sort, [term for term, _ in sort.terms])
    path.parts.append(sort)
    link_ancestors(path)
    return path


def focus(resolver: Resolver, node: Node) -> Node:
    """``left@$name``"""
    result = resolver.resolve(node.parts[0])
    target = result.parts[-1] if result.kind == "path" else result
    if target.stages or target.predicates:
        raise JsonataError("S0215", node.position)
    if target.kind == "sort":
        raise JsonataError("S0216", node.position)
    target.keep_array = target.keep_array or node.keep_array
    target.focus = node.parts[1].value
    target.tuple = True
    return result


def position(resolver: Resolver, node: Node) -> Node:
    """``left#$name``"""
    result = resolver.resolve(node.parts[0])
    path = path_of(result)
    target = path.parts[-1]
    if path is not result:
        target.stages, target.predicates = target.predicates, []
    if target.stages:
        target.stages.append(Node("index", node.position, node.parts[1].value))
    else:
        target.index = node.parts[1].value
    target.tuple = True
    return path


def application(resolver: Resolver, node: Node) -> Node:
    """``left ~> function``"""
    left, right = (resolver.resolve(part) for part in node.parts)
    result = Node("apply", node.position, "~>", [left, right])
    result.keep_array = left.keep_array or right.keep_array
    return result


def link_ancestors(path: Node) -> None:
    """Find the step that each ``%`` in the last step of a path stands for, or leave it to the outer path."""
    last = path.parts[-1]
    slots = list(last.seeking)
    if last.kind == "parent" and last.ancestor is not None:
        slots.append(last.ancestor)
    for slot in slots:
        index = len(path.parts) - 2
        while slot.level > 0:
            if index < 0:
                path.seeking.append(slot)
                break
            target = path.parts[index]
            index -= 1
            while index >= 0 and target.focus and path.parts[index].focus:
                target = path.parts[index]
                index -= 1
            seek_parent(target, slot)


def seek_parent(node: Node, slot: Slot) -> None:
    if node.kind in {"name", "wildcard"}:
        slot.level -= 1
        if slot.level == 0:
            if node.ancestor is not None:
                slot.label = node.ancestor.label
            node.ancestor = slot
            node.tuple = True
    elif node.kind == "parent":
        slot.level += 1
    elif node.kind == "block":
        if node.parts:
            node.tuple = True
            seek_parent(node.parts[-1], slot)
    elif node.kind == "path":
        node.tuple = True
        for part in reversed(node.parts):
            seek_parent(part, slot)
            if slot.level <= 0:
                break
    else:
        raise JsonataError("S0217", node.position, token=node.kind)


def regex(_: Resolver, node: Node) -> Node:
    node.value = compile_regex(*node.value, position=node.position)
    return node


def end(_: Resolver, node: Node) -> Node:
    raise JsonataError("S0207", node.position, token=END)


RULES: Final[dict[str, Callable[[Resolver, Node], Node]]] = {
    "name": name, "parent": parent, "object": object_, "negation": negation, "block": block,
    "function": call, "partial": call, "lambda": lambda_, "transform": isolated, "grouping": grouping,
    "regex": regex, END: end,
}  # fmt: skip
BINARY: Final[dict[str, Callable[[Resolver, Node], Node]]] = {
    ".": step, "[": filter_, "^": order_by, "@": focus, "#": position, "~>": application,
}  # fmt: skip
