"""Bytes that no browser sends: refused before a body is read, never a 500, never a cut body accepted."""

import re
from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from tests.servers import Server, is_ready
from tests.serving.raw import CLOSED, FORM, ask, chunked, post, request

PASSWORD = "a long enough password"
LARGE = b"a=" + b"x" * 199_998  # three times what a form may have

REFUSED_BEFORE_THE_BODY = {
    "no length": (post(), 411),
    "no length, a form": (post(FORM), 411),
    "chunks, urlencoded": (post(FORM, "Transfer-Encoding: chunked", body=chunked(LARGE)), 411),
    "chunks, small": (post(FORM, "Transfer-Encoding: chunked", body=chunked(b"a=b")), 411),
    "chunks, raw": (post("Content-Type: text/plain", "Transfer-Encoding: chunked", body=chunked(LARGE)), 411),
    "chunks, multipart": (
        post("Content-Type: multipart/form-data; boundary=b", "Transfer-Encoding: chunked", body=chunked(LARGE)), 411,
    ),
    "chunks that never come": (post(FORM, "Transfer-Encoding: chunked"), 411),
    "length, then chunks": (post(FORM, "Content-Length: 6", "Transfer-Encoding: chunked", body=chunked(b"a=b")), 411),
    "chunks, then length": (post(FORM, "Transfer-Encoding: chunked", "Content-Length: 6", body=chunked(b"a=b")), 411),
    "packed and chunks": (post(FORM, "Transfer-Encoding: gzip, chunked", body=chunked(b"a=b")), 411),
    "chunks with an underscore": (post(FORM, "Transfer_Encoding: chunked", "Content-Length: 3", body=b"a=b"), 411),
    "length with an underscore": (post(FORM, "Content_Length: 3", body=b"a=b"), 411),
    "one byte too many": (post(FORM, f"Content-Length: {64 * 1024 + 1}"), 413),
    "urlencoded": (post(FORM, "Content-Length: 200000"), 413),
    "urlencoded and sent": (post(FORM, "Content-Length: 200000", body=LARGE), 413),
    "multipart": (post("Content-Type: multipart/form-data; boundary=b", "Content-Length: 200000"), 413),
    "expecting to be let go on": (post(FORM, "Expect: 100-continue", "Content-Length: 200000"), 413),
    "raw": (post("Content-Type: application/octet-stream", "Content-Length: 200000"), 415),
    "json": (post("Content-Type: application/json", "Content-Length: 2"), 415),
    "no kind": (post("Content-Length: 3"), 415),
    "packed": (post(FORM, "Content-Encoding: gzip", "Content-Length: 30"), 415),
    "another site's": (post(FORM, "Origin: https://evil.example", "Content-Length: 30"), 400),
    "of no site": (post(FORM, "Origin: null", "Content-Length: 30"), 400),
    "of our name over TLS": (post(FORM, "Origin: https://localhost", "Content-Length: 30"), 400),
    "of our name at another port": (post(FORM, "Origin: http://localhost:1", "Content-Length: 30"), 400),
    "with an empty origin": (post(FORM, "Origin:", "Content-Length: 30"), 400),
    "another site's by fetch": (post(FORM, "Sec-Fetch-Site: cross-site", "Content-Length: 30"), 400),
    "a sibling's by fetch": (post(FORM, "Sec-Fetch-Site: same-site", "Content-Length: 30"), 400),
    "to another host": (request("POST /sign-in HTTP/1.1", FORM, "Content-Length: 30", host="Host: evil.example"), 400),
}  # fmt: skip

REFUSED_BY_THE_SERVER = {
    "two lengths": post(FORM, "Content-Length: 3", "Content-Length: 5", body=b"a=b"),
    "negative": post(FORM, "Content-Length: -3", body=b"a=b"),
    "signed": post(FORM, "Content-Length: +3", body=b"a=b"),
    "no number": post(FORM, "Content-Length: abc", body=b"a=b"),
    "beyond all numbers": post(FORM, "Content-Length: 99999999999999999999999", body=b"a=b"),
    "identity": post(FORM, "Transfer-Encoding: identity", "Content-Length: 3", body=b"a=b"),
    "unknown coding": post(FORM, "Transfer-Encoding: xchunked", body=b"a=b"),
    "space before the colon": post(FORM, "Transfer-Encoding : chunked", "Content-Length: 3", body=b"a=b"),
    "header bomb": request("GET /sign-in HTTP/1.1", "X-A: " + "x" * 100_000),
    "very many headers": request("GET /sign-in HTTP/1.1", *(f"X-{n}: 1" for n in range(150))),
    "overlong address": request(f"GET /licenses?q={'x' * 20_000} HTTP/1.1"),
    "folded header": request("GET /sign-in HTTP/1.1", "X-A: b\r\n c"),
    "bytes in the path": request("GET /users/\xff\xfe HTTP/1.1"),
    "NUL in the path": request("GET /users/\0 HTTP/1.1"),
    "control character in a cookie": request("GET /licenses HTTP/1.1", "Cookie: license_desk=\x01"),
    "HTTP/0.9": b"GET /sign-in\r\n\r\n",
    "HTTP/1.2": request("GET /sign-in HTTP/1.2"),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}

STRANGE_HOSTS = {
    "two": request("GET /sign-in HTTP/1.1", "Host: evil.example"),
    "two, ours last": request("GET /sign-in HTTP/1.1", "Host: localhost", host="Host: evil.example"),
    "twice the same": request("GET /sign-in HTTP/1.1", "Host: localhost"),
    "none": request("GET /sign-in HTTP/1.1", host=""),
    "none in HTTP/1.0": request("GET /sign-in HTTP/1.0", host=""),
    "empty": request("GET /sign-in HTTP/1.1", host="Host:"),
    "foreign": request("GET /sign-in HTTP/1.1", host="Host: evil.example"),
    "port out of range": request("GET /sign-in HTTP/1.1", host="Host: localhost:99999"),
    "dot at the end": request("GET /sign-in HTTP/1.1", host="Host: localhost."),
    "a user before it": request("GET /sign-in HTTP/1.1", host="Host: localhost@evil.example"),
    "a path after it": request("GET /sign-in HTTP/1.1", host="Host: localhost/evil"),
    "bytes": request("GET /sign-in HTTP/1.1", host="Host: loc\xffalhost"),
    "space": request("GET /sign-in HTTP/1.1", host="Host: localhost evil.example"),
    "by a proxy that is not there": request("GET /sign-in HTTP/1.1", "X-Forwarded-Host: localhost", host="Host: evil.example"),
    "foreign beside an absolute address": request("GET http://localhost/sign-in HTTP/1.1", host="Host: evil.example"),
}  # fmt: skip

SIGN_IN = 303  # the anonymous learn nothing else
ANSWERED = {
    "HTTP/1.0": (request("GET /sign-in HTTP/1.0"), 200),
    "another port": (request("GET /sign-in HTTP/1.1", host="Host: localhost:81"), 200),
    "IPv6": (request("GET /sign-in HTTP/1.1", host="Host: [::1]"), 200),
    "IPv6 and port": (request("GET /sign-in HTTP/1.1", host="Host: [::1]:8000"), 200),
    "upper case host": (request("GET /sign-in HTTP/1.1", host="Host: LOCALHOST"), 200),
    "TRACE": (request("TRACE /sign-in HTTP/1.1"), 411),
    "TRACE with a length": (request("TRACE /sign-in HTTP/1.1", "Content-Length: 0"), SIGN_IN),
    "CONNECT": (request("CONNECT localhost:80 HTTP/1.1"), 411),
    "unknown method": (request("BREW /sign-in HTTP/1.1", "Content-Length: 0"), SIGN_IN),
    "PUT": (request("PUT /sign-in HTTP/1.1", "Content-Length: 0"), 400),
    "DELETE": (request("DELETE /sign-in HTTP/1.1", "Content-Length: 0"), 400),
    "PATCH": (request("PATCH /users/ada HTTP/1.1", "Content-Length: 0"), 400),
    "OPTIONS of all": (request("OPTIONS * HTTP/1.1"), SIGN_IN),
    "absolute address": (request("GET http://localhost/sign-in HTTP/1.1"), 200),
    "authority": (request("GET localhost HTTP/1.1"), SIGN_IN),
    "two slashes": (request("GET //evil.example/sign-in HTTP/1.1"), SIGN_IN),
    "slash at the end": (request("GET /licenses/ HTTP/1.1"), SIGN_IN),
    "NUL": (request("GET /users/%00 HTTP/1.1"), SIGN_IN),
    "bytes that are no text": (request("GET /users/%ff%fe HTTP/1.1"), SIGN_IN),
    "half a percent": (request("GET /users/%zz%1 HTTP/1.1"), SIGN_IN),
    "line feeds": (request("GET /users/%0d%0aSet-Cookie:%20a=b HTTP/1.1"), SIGN_IN),
    "line feeds in a query": (request("GET /licenses?x=%0d%0aSet-Cookie:%20a=b HTTP/1.1"), SIGN_IN),
    "long address": (request(f"GET /licenses?q={'x' * 12_000} HTTP/1.1"), SIGN_IN),
    "query that is no text": (request("GET /sign-in?next=%ff%00&q=%ff HTTP/1.1"), 200),
    "file with a NUL": (request("GET /static/app.css%00.png HTTP/1.1"), 404),
    "file above": (request("GET /static/..%2f..%2fetc/passwd HTTP/1.1"), 404),
    "file beside": (request("GET /static/../webapp/settings.py HTTP/1.1"), 404),
    "folder": (request("GET /static/vendor HTTP/1.1"), 404),
    "file with a long name": (request(f"GET /static/{'a' * 5000} HTTP/1.1"), 404),
    "file that is no text": (request("GET /static/%ed%a0%80 HTTP/1.1"), 404),
    "part of a file": (request("GET /static/app.css HTTP/1.1", "Range: bytes=0-9"), 206),
    "no part of a file": (request("GET /static/app.css HTTP/1.1", "Range: bytes=9999999-"), 416),
    "bytes in a cookie": (request("GET /licenses HTTP/1.1", "Cookie: license_desk=\xff\xfe"), SIGN_IN),
    "bytes in headers": (
        request("GET /sign-in HTTP/1.1", "HX-Request: true", "HX-Target: \xff#main", "User-Agent: \xff"), 200,
    ),
    "GET with a body": (request("GET /sign-in HTTP/1.1", "Content-Length: 3", body=b"a=b"), 200),
    "GET with chunks": (request("GET /sign-in HTTP/1.1", "Transfer-Encoding: chunked", body=chunked(b"a=b")), 200),
    "form in a strange alphabet": (
        post("Content-Type: application/x-www-form-urlencoded; charset=utf-7", "Content-Length: 3", body=b"a=b"), 400,
    ),
    "form that is no text": (post(FORM, "Content-Length: 9", body=b"\xff\xfe=%ff%00"), 400),
    "multipart without a boundary": (post("Content-Type: multipart/form-data", "Content-Length: 3", body=b"a=b"), 400),
    "multipart that is none": (
        post("Content-Type: multipart/form-data; boundary=b", "Content-Length: 9", body=b"--b\r\nabcd"), 400,
    ),
}  # fmt: skip


@pytest.mark.case("INPUT-2", "ASVS 3.5.2", "ASVS 4.2.1", "ASVS 5.2.3")
@pytest.mark.parametrize("case", REFUSED_BEFORE_THE_BODY)
def test_INPUT_2_what_could_be_cut_or_is_not_ours_is_refused_before_a_body_is_read(
    edge: Server, case: str
) -> None:
    """Most of these bodies are never sent: whoever read them would wait."""
    data, status = REFUSED_BEFORE_THE_BODY[case]
    answer = ask(edge.port, data)
    assert answer.status == status
    assert answer.is_guarded


@pytest.mark.case("ASVS 4.2.1")
@pytest.mark.parametrize("case", REFUSED_BY_THE_SERVER)
def test_what_is_no_request_is_refused_by_the_server_itself(edge: Server, case: str) -> None:
    """Its refusal carries no headers of ours, and no words."""
    answer = ask(edge.port, REFUSED_BY_THE_SERVER[case])
    assert answer.status in (400, 431, CLOSED)
    assert not answer.is_guarded
    assert answer.body == b""
    assert is_ready(edge.port)


@pytest.mark.parametrize("case", STRANGE_HOSTS)
def test_a_host_that_is_not_ours_alone_is_refused(edge: Server, case: str) -> None:
    answer = ask(edge.port, STRANGE_HOSTS[case])
    assert answer.status == 400
    assert b"not set up for this address" in answer.body
    assert b"evil" not in answer.body


@pytest.mark.parametrize("case", ANSWERED)
def test_everything_else_that_is_strange_has_its_answer(edge: Server, case: str) -> None:
    data, status = ANSWERED[case]
    answer = ask(edge.port, data)
    assert answer.status == status
    assert answer.is_guarded
    assert "evil" not in (answer.headers.get("Location") or "").partition("?")[0]
    assert not {"a=b"} & {cookie.partition(";")[0] for cookie in answer.headers.get_all("Set-Cookie", [])}


def urlencoded(fields: dict[str, str]) -> tuple[str, bytes]:
    return FORM, urlencode(fields).encode()


def multipart(fields: dict[str, str]) -> tuple[str, bytes]:
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    return "Content-Type: multipart/form-data; boundary=b", (parts + "--b--\r\n" + " " * 100).encode()


@pytest.mark.case("INPUT-2", "ASVS 4.2.1")
@pytest.mark.parametrize("encode", [urlencoded, multipart])
def test_a_body_that_breaks_off_is_no_form(
    edge: Server, encode: Callable[[dict[str, str]], tuple[str, bytes]]
) -> None:
    """All that the form asks for has arrived; what is missing might have been more."""
    form = ask(edge.port, request("GET /sign-in HTTP/1.1"))
    token = re.search(rb'name="csrf_token" value="([^"]+)', form.body)
    assert token
    cookie = f"Cookie: {form.headers['Set-Cookie'].partition(';')[0]}"
    kind, body = encode(
        {"csrf_token": token[1].decode(), "username": "ada", "password": PASSWORD, "pad": "x" * 100}
    )
    whole = post(kind, cookie, f"Content-Length: {len(body)}", body=body)
    assert ask(edge.port, whole).status == 303
    broken = ask(edge.port, whole[:-60], hang_up=True)
    assert broken.status == 400
    assert "Set-Cookie" not in broken.headers


@pytest.mark.case("ASVS 4.2.1")
def test_two_requests_in_one_piece_are_two(edge: Server) -> None:
    """The second is the body of the first, and is not answered as a request."""
    inner = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = ask(edge.port, request("GET /sign-in HTTP/1.1", f"Content-Length: {len(inner)}", body=inner))
    assert answer.status == 200
    assert b"ok\n" not in answer.body[-20:]
    assert answer.body.count(b"HTTP/1.1 ") == 0
