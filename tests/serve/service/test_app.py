"""The routes: what they answer, and that what they answer is the model's."""

import json
import re
from typing import Any

import pytest

from serve.service.problems import MOST_ERRORS
from tests.serve.service.conftest import POLITICS, SPORT, Service, small_model

PROBLEM = "application/problem+json"
TOPIC_FIELDS = ["id", "name_id", "name_en", "iptc", "iab", "probability", "threshold", "assigned"]


def post(service: Service, path: str, body: Any, **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return service.client.post(path, content=content, headers={"Content-Type": "application/json", **headers})


def test_articles_are_filed_as_the_model_files_them(service: Service) -> None:
    articles = [
        {"id": "a1", "title": "Bola", "text": "Presiden menendang bola."},
        {"text": ""},
        {"id": None, "title": None, "text": "bola bola"},
    ]
    answer = post(service, "/v1/predict", {"articles": articles})
    assert answer.status_code == 200
    body = answer.json()
    model = small_model()
    assert body["model"] == {"version": model.version, "registry": None}
    filed = model.file([a["text"] for a in articles], [a.get("title") for a in articles])
    for i, found in enumerate(body["articles"]):
        assert found["id"] == articles[i].get("id")
        assert [(t["id"], t["probability"]) for t in found["topics"]] == [(n, round(p, 4)) for n, p in filed.topics(i)]
        assert all(list(topic) == TOPIC_FIELDS and topic["assigned"] for topic in found["topics"])
    assert body["articles"][0]["topics"][0]["id"] == "olahraga"
    assert body["articles"][1] == {"id": None, "topics": [], "uncertain": False, "notes": ["empty"]}


def test_all_topics_likeliest_first(service: Service) -> None:
    (article,) = service.predict("presiden", params={"all": "true"}).json()["articles"]
    assert [(topic["id"], topic["assigned"]) for topic in article["topics"]] == [("politik", True), ("olahraga", False)]
    assert article["topics"][0]["iptc"] == list(POLITICS.iptc)


def test_many_articles_are_filed_as_one_is(service: Service) -> None:
    texts = ["bola", "presiden", "bola presiden", ""] * 250
    many = service.predict(*texts).json()["articles"]
    assert many == [service.predict(text).json()["articles"][0] for text in texts[:4]] * 250


def test_notes_are_apart(service: Service) -> None:
    english = "The two presidents signed a defence agreement that had been in the making for more than three years."
    (article,) = service.predict(english).json()["articles"]
    assert article["notes"] == ["not Indonesian: English", "mostly unknown words"]


def test_ninjs_has_the_topics_as_subjects(service: Service) -> None:
    article = {"id": "a1", "title": "Bola", "text": "Presiden menendang bola."}
    answer = post(
        service, "/v1/predict", {"articles": [article, {"text": "x"}]}, Accept="application/vnd.iptc.ninjs+json"
    )
    assert answer.headers["content-type"] == "application/vnd.iptc.ninjs+json"
    item, plain = answer.json()
    # The properties that version 2.0 of the standard has no others beside.
    assert set(item) == {
        "uri", "type", "representationtype", "standard", "headlines", "bodies", "subjects", "altids",
    }  # fmt: skip
    assert item["standard"]["version"] == "2.0"
    assert item["type"] == "text"
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", item["uri"])
    assert item["headlines"] == [{"value": "Bola"}]
    assert item["altids"] == [{"role": "id", "value": "a1"}]
    assert [(s["literal"], s["uri"].rpartition("/")[2]) for s in item["subjects"]] == [
        ("olahraga", "15000000"), ("politik", "11000000"), ("politik", "20000574"),
    ]  # fmt: skip
    assert item["subjects"][0] == {
        "name": "Olahraga", "literal": "olahraga", "uri": "http://cv.iptc.org/newscodes/mediatopic/15000000",
    }  # fmt: skip
    assert plain["subjects"] == []
    assert plain["uri"] != item["uri"]


def test_an_explanation_points_at_code_points(service: Service) -> None:
    text = "JAKARTA - \U0001f3c6\U0001f3c6 Presiden menendang bola.\n\nBACA JUGA: Harga Beras Naik\n\nBola lagi."
    answer = post(service, "/v1/explain", {"title": "Bola \U0001f3c6 Presiden", "text": text})
    assert answer.status_code == 200
    found = answer.json()
    assert {"model", "terms", "topics", "removed", "uncertain", "notes"} == set(found)
    assert all(len(topic["words"]) == found["terms"] == 2 for topic in found["topics"])
    given = {"title": "Bola \U0001f3c6 Presiden", "text": text}
    for topic in found["topics"]:
        assert topic["score"] == pytest.approx(topic["bias"] + sum(word["value"] for word in topic["words"]), abs=1e-4)
        for word in topic["words"]:
            assert word["count"] == len(word["spans"]) > 0
            assert {given[s["field"]][s["start"] : s["end"]].lower() for s in word["spans"]} == {word["term"]}
    removed = {part["kind"]: text[part["start"] : part["end"]] for part in found["removed"]}
    assert removed["baca_juga"].startswith("BACA JUGA")


def test_an_explanation_of_what_is_asked(service: Service) -> None:
    answer = post(service, "/v1/explain?words=1", {"text": "bola presiden", "topics": ["politik", "politik"]}).json()
    (topic,) = answer["topics"]
    assert topic["id"] == "politik"
    assert len(topic["words"]) == 1
    for path, topics in (("?topic=olahraga", []), ("?topic=politik&topic=olahraga", ["politik"])):
        found = post(service, f"/v1/explain{path}", {"text": "lain", "topics": topics} if topics else {"text": "lain"})
        assert [topic["id"] for topic in found.json()["topics"]] == [*topics, "olahraga"]
    likeliest = post(service, "/v1/explain", {"text": "lain"}).json()["topics"]
    assert [topic["assigned"] for topic in likeliest] == [False]
    wrong = post(service, "/v1/explain", {"text": "bola", "topics": ["politik", "cuaca"]})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["pointer"] == "/topics/1"


def test_the_topics_of_the_model(service: Service) -> None:
    first, second = service.client.get("/v1/topics").json()["topics"]
    assert first == {
        "id": "olahraga", "group": "Olahraga", "name_id": "Olahraga", "name_en": "Sport", "iptc": list(SPORT.iptc),
        "iab": list(SPORT.iab), "about": "Pertandingan.", "not_about": "Politik.", "threshold": 0.5,
    }  # fmt: skip
    assert second["id"] == "politik"


def test_health(service: Service) -> None:
    assert service.client.get("/healthz").json() == {"status": "ok"}
    ready = service.client.get("/readyz")
    assert ready.json() == {
        "status": "ready", "model": {"version": small_model().version, "registry": None}, "problem": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (b"", [""]),
        (b"{", [""]),
        (b"[]", [""]),
        (b"null", [""]),
        (b'{"articles":[]}', ["/articles"]),
        (b'{"articles":{}}', ["/articles"]),
        (b'{"articles":[{"title":"x"}]}', ["/articles/0/text"]),
        (b'{"articles":[{"text":"x"},{"text":3},{"text":null}]}', ["/articles/1/text", "/articles/2/text"]),
        (b'{"articles":[{"text":"x","id":1}]}', ["/articles/0/id"]),
        (b'{"articles":[{"text":"x","a/b~c":1}]}', ["/articles/0/a~1b~0c"]),
        (b'{"articles":[{"text":NaN}]}', ["/articles/0/text"]),
        (b'{"articles":[{"text":"\xff"}]}', [""]),
        (b'{"articles":[{"text":"\\ud800"}]}', [""]),
        (b'{"articles":' + b"[" * 1_000_000, [""]),
        (b'{"articles":[{"text":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}]}", [""]),
    ],
)  # fmt: skip
def test_a_body_at_fault_is_told_where(service: Service, body: bytes, pointers: list[str]) -> None:
    answer = post(service, "/v1/predict", body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == PROBLEM
    problem = answer.json()
    assert (problem["type"], problem["status"]) == ("about:blank", 422)
    assert [error["pointer"] for error in problem["errors"]] == pointers
    assert all(error["detail"].endswith(".") for error in problem["errors"])


def test_a_problem_does_not_repeat_the_text(service: Service) -> None:
    answer = post(service, "/v1/predict", {"articles": [{"text": ["rahasia"]}] * 100})
    assert "rahasia" not in answer.text
    assert len(answer.json()["errors"]) == MOST_ERRORS


def test_odd_characters_do_no_harm(service: Service) -> None:
    for text in ("\0", "bola\0bola", "\u202e\ufeff\u0000", "\U0010ffff" * 100, "\ufffe", "e\u0301" * 50):
        assert service.predict(text).status_code == 200
        assert post(service, "/v1/explain", {"title": text, "text": text}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json; charset=utf-8"}, 200),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({}, 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415),
    ],
)
def test_only_json_is_taken_for_json(service: Service, headers: dict[str, str], status: int) -> None:
    content = b'{"articles":[{"text":"bola"}]}'
    assert service.client.post("/v1/predict", content=content, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/v1", 404, None),
        ("POST", "/v1/nothing", 404, None),
        ("GET", "/v1/predict/", 404, None),
        ("GET", "/v1/predict", 405, "POST"),
        ("DELETE", "/v1/topics", 405, "GET"),
        ("OPTIONS", "/v1/predict", 405, "POST"),
    ],
)
def test_other_paths_and_methods(service: Service, method: str, path: str, status: int, allow: str | None) -> None:
    answer = service.client.request(method, path, headers={"Origin": "https://example.org"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers.get("allow") == allow
    assert answer.json()["status"] == status
    assert "access-control-allow-origin" not in answer.headers


def test_a_wrong_parameter_is_named(service: Service) -> None:
    for path in ("/v1/explain?words=0", "/v1/explain?words=x", "/v1/predict?all=perhaps", "/v1/files?format=xls"):
        answer = post(service, path, {"text": "bola"})
        assert answer.status_code == 422
        name = path.partition("?")[2].partition("=")[0]
        assert answer.json()["detail"].startswith(f"The parameter {name} is wrong")


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/v1/explain?kata=3", "There is no parameter 'kata' of /v1/explain; it takes words, topic."),
        ("/v1/predict?semua=1&all=true", "There is no parameter 'semua' of /v1/predict; it takes all."),
        ("/v1/files?format=csv&text-column=ISI", "There is no parameter 'text-column' of /v1/files; it takes format, title_column, text_column, all."),
        ("/v1/topics?" + "x" * 99, f"There is no parameter '{'x' * 50}' of /v1/topics; it takes none."),
        ("/v1/explain?topic=politik&topic=cuaca", "The parameter topic is wrong: 'cuaca' is not a topic of the model; GET /v1/topics lists those that are."),
    ],
)  # fmt: skip
def test_a_parameter_that_there_is_not_is_named(service: Service, path: str, detail: str) -> None:
    method = "GET" if path.startswith("/v1/topics") else "POST"
    answer = service.client.request(method, path, json={"text": "bola"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert answer.json()["detail"] == detail
    assert service.client.get("/healthz?now=1").status_code == 200


def test_every_answer_has_the_security_headers(service: Service) -> None:
    for path in ("/healthz", "/v1/topics", "/nothing", "/openapi.json", "/metrics"):
        headers = service.client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
