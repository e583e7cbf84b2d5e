"""Generated expressions of JSONata 2.0.6, and documents for them to ask about.

The grammar knows what kind of value an expression has, so that most expressions mean something; ``odd`` may be of
any kind, which is how calls fail.  It leaves out what has no answer to compare ($random, $shuffle, $uuid, $now,
$millis), the functions that Step Functions adds, $eval, and ``??`` and ``?:``, which are younger than 2.0.6.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from random import Random

__all__ = ["document", "expression"]

NAMES: Final = ("a", "b", "c", "d", "x y", "Zahl")
MOMENT: Final = "2024-02-29T12:30:00.000Z"
TEXTS: Final = ("", "a", "b", "abc", "a,b,,c", "  pad\tded ", "10", "-2.5", "12e3", "é", "Straße", MOMENT)
INTEGERS: Final = (-7, -2, -1, 0, 1, 2, 3, 5, 10, 255, 1000, 65536, 1_700_000_000_000)
FRACTIONS: Final = (-2.5, -0.5, 0.1, 0.5, 1.5, 2.675, 3.14159, 1e-7, 1e12, 123456789.125)


def document(random: Random) -> dict[str, Any]:
    """What ``$states.input`` is: rows and lists of at least two, and anything at all."""
    return {
        "a": _value(random, 3),
        "numbers": random.choices((*INTEGERS, *FRACTIONS), k=random.randint(2, 4)),
        "texts": random.choices(TEXTS, k=random.randint(2, 4)),
        "rows": [_row(random) for _ in range(random.randint(2, 4))],
    }


def _row(random: Random) -> dict[str, Any]:
    row: dict[str, Any] = {"a": random.choice(INTEGERS), "b": random.choice(TEXTS)}
    if random.random() < 0.5:
        row["c"] = random.choices(INTEGERS, k=random.randint(2, 3))
    if random.random() < 0.5:
        row["d"] = [{"a": number} for number in random.choices(INTEGERS, k=2)]
    return row


def _value(random: Random, depth: int) -> Any:
    kind = random.random() if depth else 0
    if kind < 0.3:
        return random.choice((None, True, False, *INTEGERS, *FRACTIONS, *TEXTS))
    if kind < 0.5:
        return [_value(random, depth - 1) for _ in range(random.randint(2, 3))]
    return {name: _value(random, depth - 1) for name in random.sample(NAMES, random.randint(0, 3))}


def quoted(*texts: str) -> tuple[str, ...]:
    return tuple(json.dumps(text, ensure_ascii=False) for text in texts)


# «kind» stands for an expression of a kind, one level less deep; «kind v i» for one in which $v and $i have
# values.
# A function ends with no call: calls at its end are where jsonata-js hands on no functions.
# A kind that is repeated in a list is chosen more often.
GRAMMAR: Final[dict[str, tuple[str, ...]]] = {
    "number": (
        "(«number» + «number»)", "(«number» - «number»)", "(«number» * «number»)", "(«number» «ratio»)",
        "$abs(«number»)", "$floor(«number»)", "$ceil(«number»)", "$round(«number»)", "$sqrt(«number»)",
        "$round(«number», «index»)", "$power(«number», «exponent»)",
        "$sum(«array»)", "$max(«array»)", "$min(«array»)", "$average(«array»)", "$count(«array»)",
        "$length(«text»)", "$number(«text»)", "$number(«boolean»)", "$toMillis(«moment»)",
        "$parseInteger(«numeral»)",
        "(«boolean» ? «number» : «number»)", "(«boolean» ? «number»)",
        "$reduce(«array», function($l, $r){$l + $r})", "$reduce(«array», function($l, $r){$l + $r}, 1)",
        "«odd»", "«odd»", "«odd»",
    ),
    "text": (
        "(«text» & «anything»)", "(«text» & «anything»)", "$uppercase(«text»)", "$lowercase(«text»)",
        "$trim(«text»)",
        "$substring(«text», «index»)", "$substring(«text», «index», «index»)",
        "$substringBefore(«text», «piece»)", "$substringAfter(«text», «piece»)",
        "$pad(«text», «width»)", '$pad(«text», «width», "#")', '$pad(«text», «width», "ab")',
        "$join(«array»)", '$join(«array», "-")', '$replace(«text», "a", "z")', '$replace(«text», ",", "", 1)',
        "$replace(«text», «pattern», «replacement»)", "$replace(«text», «pattern», «replacement», 1)",
        "$string(«anything»)", "$string(«anything»)", "$string(«anything», true)",
        "$formatNumber(«plain number», «picture»)", "$formatInteger(«whole», «integer picture»)",
        "$formatBase(«whole», «radix»)", "$fromMillis(«millis», «moment picture»)",
        '$fromMillis(«millis», «moment picture», "+0530")', "$base64encode(«text»)", "$encodeUrlComponent(«text»)",
        "$encodeUrl(«plain text»)", "$type(«anything»)", "(«text» ~> $uppercase)", "(«text» ~> $trim)",
        "(«boolean» ? «text» : «text»)", "(«boolean» ? «text»)", "«odd»", "«odd»", "«odd»",
    ),
    "boolean": (
        "(«number» < «number»)", "(«number» >= «number»)", "(«text» > «text»)", "(«text» <= «text»)",
        "(«text» = «text»)", "(«anything» = «anything»)", "(«anything» != «anything»)",
        "(«anything» in «anything»)", "(«anything» in «array»)", "(«walk» and «walk»)", "(«walk» or «walk»)",
        "$not(«anything»)", "$boolean(«anything»)", "$exists(«anything»)",
        '$contains(«text», "a")', "$contains(«text», «pattern»)",
        "«odd»", "«odd»",
    ),
    "array": (
        "[]", "[«anything»]", "[«anything», «anything»]", "[«anything», «anything», «anything»]",
        "$reverse([-1..2])", "$reverse([1..3])", "$map(«array», «function»)", "$single(«array», «function»)",
        "$filter(«array», function($v, $i){«boolean v i»})", "$sort($append(«array», [2, 1]))",
        "$sort($append(«array», [2, 1]), function($l, $r){$l > $r})",
        "$sort($append(«array», [2, 1]), function($l, $r){$string($l) < $string($r)})",
        "$distinct(«array»)", "$reverse(«array»)", "$append(«array», «anything»)", "$zip(«array», «array»)",
        '$split(«text», ",")', '$split(«text», "")', "$split(«text», «pattern»)", "$split(«text», «pattern», 2)",
        "$keys(«object»)", "$spread(«object»)", "$each(«object», function($v, $k){$k & $string($v)})",
        "$match(«text», «pattern»)", "$lookup(«array», «plain text»)", "«array»[0]", "«array»[-1]",
        "(«array»^($))", "(«array»^(>$))", "«odd»", "«odd»",
    ),
    "object": (
        '{"a": «anything»}', '{"b": «anything», "x y": «anything»}', '{"d": «anything», «text» & "c": «anything»}',
        '{"c": «anything», "a": «anything», "Zahl": «anything»}', "$merge([«object», «object»])",
        "$sift(«object», function($v, $k){«boolean v k»})",
        "(«plain object» ~> |$|«plain object»|)", '(«plain object» ~> |$|«plain object», "a"|)',
        "(«plain object» ~> |**[$type($) = 'object']|«plain object»|)",
        "$states.input.rows{'k' & b: a}", "$states.input.rows{'k' & $string(a): $count($)}",
        "$states.input.rows{'k': $sum(a)}", "«odd»", "«odd»",
    ),
    "odd": (
        "«path»", "«path»", "«path»", "«path»", "«path»", "«path»",
        "($u := «anything»; «anything u»)", "($w := «anything»; «anything w»)",
        "function($p){[«anything p»][0]}(«anything»)", "function($p)<n:n>{[«anything p»][0]}(«anything»)",
        "function($p)<s:s>{[«anything p»][0]}(«anything»)", "function($p)<a:x>{[«anything p»][0]}(«anything»)",
        "function($p)<x-:x>{[«anything p»][0]}(«anything»)", "function($p)<j?:j>{[«anything p»][0]}(«anything»)",
        "(«boolean» ? «anything» : «anything»)", "(«boolean» ? «anything»)",
    ),
    "anything": (
        "«number»", "«number»", "«text»", "«text»", "«boolean»", "«array»", "«array»", "«object»",
        "«odd»", "«odd»",
    ),
    "function": (
        "$string", "$number", "$boolean", "$type", "$not", "$uppercase", "$count",
        "function($v){[«anything v»][0]}", "λ($v, $i){[«anything v i»][0]}",
        "function($v, $i, $all){$count($all)}", "function($v, $i, $all){$all[$i]}",
        "function($v, $i){[$v, $i]}", 'function($v){{"v": $v}}', "function($x){$x[0]}", "$substring(?, 0, 1)",
        "$append(?, 1)", "$pad(?, 3)",
    ),
    # Predicates stand where a path starts: what they do with nothing differs.
    "path": (
        "«walk»", "«walk»", "«start»«predicate»«step»", "«start»«predicate»«step»«last step»", "«walk»«last step»",
        "«start»#$i[$i > 0]", "($states.input.rows^(«direction»a))", "($states.input.rows^(«direction»b, >a))",
        "($states.input.numbers^(«direction»$))", "($states.input.texts^(«direction»$))",
    ),
}  # fmt: skip

# Where it may get no deeper, and what has no parts.
LEAVES: Final[dict[str, tuple[str, ...]]] = {
    "number": tuple(map(json.dumps, (*INTEGERS, *FRACTIONS))),
    "text": quoted(*TEXTS),
    "boolean": ("true", "false"),
    "array": ("[]", "[1, 2, 3]", '["b", "a"]', "[[1], 2]", "[null]", "[true, 1]"),
    "object": ('{"a": 1}', '{"b": [1, 2], "a": "x"}', '{"a": {"b": null}}'),
    "anything": ("«number»", "«text»", "«boolean»", "null", "«walk»", "«walk»", "«walk»"),
    "odd": ("«path»",),
    "path": ("«walk»",),
    "function": ("$string", "$boolean", "$type"),
    "walk": ("«start»", "«start»«step»", "«start»«step»", "«start»«step»«step»"),
    "start": (
        "$states.input", "$states.input.a", "$states.input.numbers", "$states.input.texts", "$states.input.rows",
        "$states.input.rows", "$states.input.*",
    ),
    "step": (".a", ".a", ".b", ".c", ".d", ".`x y`", ".*", ".**", "[0]", "[-1]", "[1]", "[-2]", ".(a)"),
    "last step": (
        "[]", ".$", ".(a; b)", ".{'b': a}", ".[a, b]", ".(a + 1)", ".(b & '!')", ".{'k': c}", ".[c]",
        "#$i.{'i': $i}", "@$row.($row.a)", ".c.(%.a)", ".d.%.b",
    ),
    "predicate": (
        "[0]", "[-1]", "[2]", "[[0, 1]]", "[a = «number»]", "[a > «number»]", "[b = «text»]", "[b < «text»]",
        "[$ != «number»]", "[a in «array»]", "[«boolean»]",
    ),
    "direction": ("", "<", ">"),
    "plain number": tuple(map(json.dumps, (*INTEGERS, *FRACTIONS))),
    "plain text": quoted(*TEXTS),
    "plain object": ('{"a": 1}', '{"b": [1, 2], "a": "x"}', '{"a": {"b": null}}'),
    "ratio": ("/ 2", "/ 0.5", "/ -3", "% 2", "% 0.5", "% -3"),
    "index": ("-3", "-2", "-1", "0", "1", "2", "5"),
    "exponent": ("0", "1", "2", "3", "0.5", "-1"),
    "width": ("-8", "-3", "0", "4", "8"),
    "whole": ("0", "1", "4", "14", "123", "1999", "1000000"),
    "radix": ("2", "8", "16", "36", "37"),
    "millis": ("0", "-1", "1700000000123", "951827696000"),
    "moment": quoted(MOMENT, "2020-01-01", "1999"),
    "numeral": (
        '"12", "0"', '"twelve", "w"', '"XIV", "I"', '"1,234", "#,##0"', '"aa", "a"', '"12th", "1;o"',
    ),
    "piece": quoted("a", ",", "zz", ""),
    "pattern": ("/a/", "/[a-c]+/", "/(.)b/", "/B/i", r"/\d+/", "/,/", "/^a/", "/c$/", "/x*a/"),
    "replacement": quoted("z", "<$0>", "$1!", "$$"),
    "picture": quoted("#,##0.00", "0", "00.0#", "#0%", "#0.00;(#0.00)", "000"),
    "integer picture": quoted("1", "w", "W", "Ww", "a", "A", "i", "I", "001", "1;o", "w;o", "#,##0"),
    "moment picture": quoted(
        "[Y0001]-[M01]-[D01]", "[D1o] [MNn] [Y]", "[H01]:[m01]:[s01].[f001]", "[FNn], [h]:[m01] [PN]", "[W]", "[d]"
    ),
}  # fmt: skip
PLACE: Final = re.compile("«([^»]+)»")


def written(random: Random, kind: str, depth: int, variables: tuple[str, ...]) -> str:
    """An expression of a kind."""
    choices = (GRAMMAR if depth > 0 and kind in GRAMMAR else LEAVES)[kind]
    if kind == "start":
        choices += tuple(f"${name}" for name in variables)

    def fill(place: re.Match[str]) -> str:
        if place[1] in LEAVES:
            return written(random, place[1], depth - 1, variables)
        inner, *more = place[1].split()
        return written(random, inner, depth - 1, (*variables, *more))

    return PLACE.sub(fill, random.choice(choices))


def expression(random: Random) -> str:
    return written(random, "anything", random.randint(2, 6), ())
