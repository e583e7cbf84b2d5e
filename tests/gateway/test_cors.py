"""What a page from elsewhere is answered."""

from __future__ import annotations

from typing import Any

from tests.gateway.calling import Backend, Client, http_route, route

CORS: dict[str, Any] = {
    "AllowOrigins": ["https://shop.example", "http://*"],
    "AllowMethods": ["GET", "POST"],
    "AllowHeaders": ["content-type"],
    "ExposeHeaders": ["x-total"],
    "MaxAge": 300,
    "AllowCredentials": True,
}
PAGE = {"Origin": "https://shop.example"}
ASKS = {**PAGE, "Access-Control-Request-Method": "POST"}


def allowed(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name.removeprefix("access-control-"): value for name, value in headers if name.startswith("access")}


def test_an_http_api_answers_what_a_browser_asks_first() -> None:
    client = Client(http_route("POST", "/orders", cors=CORS))
    answer = client("OPTIONS", "/orders", headers=ASKS)
    assert answer.status == 204
    assert allowed(answer.headers) == {
        "allow-origin": "https://shop.example",
        "allow-methods": "GET,POST",
        "allow-headers": "content-type",
        "allow-credentials": "true",
        "max-age": "300",
    }
    assert client.backend.events == []
    other = client("OPTIONS", "/orders", headers={**ASKS, "Origin": "https://evil.example"})
    assert (other.status, allowed(other.headers)) == (204, {})


def test_its_headers_come_before_those_of_a_function() -> None:
    made = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "nobody"}}
    client = Client(http_route(cors=CORS), backend=Backend(lambda _: made))
    answer = client("GET", "/hello", headers={"Origin": "http://127.0.0.1:5173"})
    assert allowed(answer.headers) == {
        "allow-origin": "http://127.0.0.1:5173",
        "allow-credentials": "true",
        "expose-headers": "x-total",
    }
    assert allowed(client("GET", "/hello").headers) == {}


def test_any_origin_is_a_star() -> None:
    client = Client(http_route(cors={"AllowOrigins": "*"}))
    assert allowed(client("GET", "/hello", headers=PAGE).headers) == {"allow-origin": "*"}


def test_without_settings_the_function_answers_for_itself() -> None:
    made = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}}
    client = Client(route("ANY"), backend=Backend(lambda _: made))
    assert allowed(client("GET", "/hello", headers=PAGE).headers) == {"allow-origin": "*"}
    assert client("OPTIONS", "/hello", headers=ASKS).status == 200
    assert [event["httpMethod"] for event in client.backend.events] == ["GET", "OPTIONS"]


def test_a_rest_api_has_a_mock_for_it() -> None:
    mock = {
        "Type": "MOCK",
        "RequestTemplates": {"application/json": '{"statusCode": 200}'},
        "IntegrationResponses": [
            {
                "StatusCode": "204",
                "ResponseParameters": {"method.response.header.Access-Control-Allow-Origin": "'*'"},
                "ResponseTemplates": {"application/json": ""},
            }
        ],
    }
    client = Client(route(), route("OPTIONS", target=None, integration=mock))
    answer = client("OPTIONS", "/hello", headers=ASKS)
    assert (answer.status, answer.body, allowed(answer.headers)) == (204, b"", {"allow-origin": "*"})
