"""Which route a request takes."""

from __future__ import annotations

import pytest

from asl_engine.gateway.routes import find_route, made_apis
from tests.gateway.calling import FUNCTION, Client, http_route, route

ROUTES = [
    ("GET", "/"),
    ("GET", "/orders"),
    ("POST", "/orders"),
    ("ANY", "/orders/{id}"),
    ("GET", "/orders/open"),
    ("DELETE", "/orders/{id}"),
    ("GET", "/orders/{id}/items/{item}"),
    ("ANY", "/files/{path+}"),
    ("GET", "/files/{path+}"),
]
CASES = {
    ("GET", "/"): "GET /",
    ("GET", ""): "GET /",
    ("POST", "/orders"): "POST /orders",
    ("GET", "/orders/"): "GET /orders",
    ("PUT", "/orders"): None,
    ("GET", "/orders/open"): "GET /orders/open",
    ("POST", "/orders/open"): "ANY /orders/{id}",
    ("GET", "/orders/7"): "ANY /orders/{id}",
    ("DELETE", "/orders/7"): "DELETE /orders/{id}",
    ("GET", "/orders/7/items/1"): "GET /orders/{id}/items/{item}",
    ("GET", "/orders/7/items"): None,
    ("GET", "/files/a/b"): "GET /files/{path+}",
    ("PUT", "/files/a"): "ANY /files/{path+}",
    ("GET", "/files"): None,
    ("GET", "/nowhere"): None,
    # A path may begin with the stage, with the id of the API, or with both.
    ("GET", "/Prod"): "GET /",
    ("POST", "/Prod/orders"): "POST /orders",
    ("POST", "/Api/orders"): "POST /orders",
    ("POST", "/Api/Prod/orders"): "POST /orders",
    ("GET", "/Test/orders"): None,
}


@pytest.mark.parametrize(("method", "path"), CASES, ids=lambda one: one or "none")
def test_a_request_takes_the_route_that_fits_best(method: str, path: str) -> None:
    apis, _ = made_apis(route(*one) for one in ROUTES)
    taken = find_route(apis, method, path)
    assert (None if taken is None else taken.route.key) == CASES[method, path]


def test_the_parameters_of_a_path_are_those_between_its_slashes() -> None:
    apis, _ = made_apis(route(*one) for one in ROUTES)
    taken = find_route(apis, "GET", "/Prod/orders/a%20b/items/2")
    assert taken is not None
    assert (taken.parameters, taken.path) == ({"id": "a%20b", "item": "2"}, "/orders/a%20b/items/2")
    taken = find_route(apis, "GET", "/files/a/b.txt")
    assert taken is not None
    assert taken.parameters == {"path": "a/b.txt"}


def test_what_no_other_route_takes_is_the_default_ones() -> None:
    apis, _ = made_apis([http_route("ANY", "$default"), http_route("GET", "/a")])
    keys = [find_route(apis, method, path) for method, path in (("GET", "/a"), ("POST", "/a"), ("GET", "/b/c"))]
    assert [one and one.route.key for one in keys] == ["GET /a", "$default", "$default"]


def test_a_stage_comes_before_a_greedy_route_of_its_api() -> None:
    apis, _ = made_apis([route("GET", "/{proxy+}", stage="dev")])
    taken = find_route(apis, "GET", "/dev/hello")
    assert taken is not None
    assert taken.parameters == {"proxy": "hello"}


def test_of_two_apis_with_one_route_the_second_has_a_prefix() -> None:
    apis, twice = made_apis([route("GET", "/a"), http_route("GET", "/a"), http_route("GET", "/b")])
    assert not twice
    found = [find_route(apis, "GET", path) for path in ("/a", "/HttpApi/a", "/b", "/HttpApi/b")]
    assert [one and one.api.identifier for one in found] == ["Api", "HttpApi", "HttpApi", "HttpApi"]
    assert [api.rest for api in apis] == [True, False]


def test_what_takes_all_paths_has_a_prefix_beside_others() -> None:
    url = http_route("ANY", "$default", api="Greet")
    apis, _ = made_apis([url, route("GET", "/a")])
    found = [find_route(apis, "GET", path) for path in ("/a", "/b", "/Greet", "/Greet/b")]
    assert [one and one.api.identifier for one in found] == ["Api", None, "Greet", "Greet"]
    apis, _ = made_apis([url])
    alone = find_route(apis, "GET", "/b")
    assert alone is not None
    assert alone.path == "/b"


def test_apis_of_two_files_may_have_one_name() -> None:
    apis, twice = made_apis([route("GET", "/a"), route("GET", "/a", location="other/template.yaml:1")])
    assert ([api.identifier for api in apis], twice) == (["Api", "Api2"], [])
    taken = find_route(apis, "GET", "/Api2/a")
    assert taken is not None
    assert taken.api is apis[1]


def test_of_two_functions_on_one_route_the_first_has_it() -> None:
    second = route("GET", "/a/{id}", target=f"{FUNCTION}2", location="template.yaml:9")
    client = Client(route("GET", "/a/{name}", location="template.yaml:5"), second, route("POST", "/a/{id}"))
    assert [(one.route.location, one.first.location) for one in client.twice] == [
        ("template.yaml:9", "template.yaml:5")
    ]
    assert client("GET", "/a/1").json["pathParameters"] == {"name": "1"}
