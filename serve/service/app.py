"""The service's routes, and what every request passes on its way to them."""

import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, Query
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from serve.service import schemas
from serve.service.bodies import json_body, parsed
from serve.service.champion import Champion, Serving
from serve.service.keys import Hosts, Keys
from serve.service.label_routes import Labelling
from serve.service.limits import Limits
from serve.service.metrics import Metrics
from serve.service.ninjs import NINJS, ninjs
from serve.service.observed import Observed
from serve.service.openapi import WITH_BODY, answer, body, describe, errors
from serve.service.overload import Overload
from serve.service.pages import page_routes
from serve.service.problems import Problem, Unavailable, fault
from serve.service.rates import Rates
from serve.service.settings import Settings
from serve.service.threads import Threads
from serve.service.uploads import Upload, Uploads, format_of
from serve.service.wording import Wording

# A body so small is answered in the event loop, as a thread would cost more than the work does.
SMALL_BYTES, SMALL_ARTICLES = 2**14, 8
# An article takes 20 marks of JSON and a topic 3; so many are let be, and as many as these of something else.
MARKS_EACH, MARKS_BESIDE = 32, 1_000
# These are answered however busy the service is, and under any name.
HEALTH = ("/healthz", "/readyz")
PREDICT = "/v1/predict"

# Of a parameter's name so much is repeated.
LONGEST_NAME = 50

# Nobody reads this, but the access log tells it from an answer.
DISCONNECTED = Response(status_code=499)

All = Annotated[bool, Query(alias="all", description="All of the model's topics, not only those assigned.")]
Column = Annotated[str | None, Query(description="Default: found by its usual names.")]
Format = Annotated[Literal["csv", "jsonl", "parquet"] | None, Query(description="Default: what Content-Type says.")]


def create_app(settings: Settings, champion: Champion) -> ASGIApp:
    """The service as an ASGI application. `champion` is loaded and watched by whoever runs it."""
    metrics, overload = Metrics(), Overload(settings.lag_seconds)
    threads = Threads(os.cpu_count() or 1, settings.concurrency, "work")
    # An explanation takes long and is made in Python, which two threads do not do faster than one; nothing else waits for it.
    explaining = Threads(1, settings.concurrency, "explain")
    uploads = Uploads(settings)
    labelling = Labelling(settings.labels, settings.concurrency) if settings.labels else None
    champion.on_change = lambda serving: metrics.use(serving.version)
    champion.on_failure = metrics.reload_failures.inc

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if champion.ready:
            metrics.use(champion.serving.version)
        async with overload.watching():
            yield
        threads.pool.shutdown(wait=False, cancel_futures=True)
        explaining.pool.shutdown(wait=False, cancel_futures=True)
        uploads.threads.pool.shutdown(wait=False, cancel_futures=True)
        if labelling:
            labelling.close()

    api = FastAPI(
        title="Kanal",
        version="1",
        description="Files Indonesian news under its topics. Parameters and fields that are not named here are refused.",
        dependencies=[Depends(_refuse_unknown_parameters)],
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    describe(api, settings)
    wording: Wording | None = None

    def current() -> Wording:
        """The words of the model in use, which a request takes once."""
        nonlocal wording
        serving = _serving(champion)
        if wording is None or wording.serving is not serving:
            wording = Wording(serving)
        return wording

    @api.post(
        PREDICT,
        summary="File articles under their topics",
        openapi_extra=body(schemas.Articles),
        responses={
            200: answer(schemas.Prediction, f"The topics of each article; as IPTC ninjs 2.0 with Accept: {NINJS}"),
            **errors(*WITH_BODY),
        },
    )
    async def predict(request: Request, all_topics: All = False) -> Response:
        data = await json_body(request)
        small = len(data) <= SMALL_BYTES
        articles = (
            parsed(schemas.Articles, data)
            if small
            else await threads.run(parsed, schemas.ManyArticles, data, MARKS_BESIDE + MARKS_EACH * settings.articles)
        ).articles
        if len(articles) > settings.articles:
            raise fault("/articles", f"has {len(articles):,} articles; send at most {settings.articles:,} at a time.")
        for i, article in enumerate(articles):
            _check_length(settings, f"/articles/{i}", article)
        in_ninjs = NINJS in request.headers.get("accept", "")
        words = current()

        def work() -> tuple[bytes, dict[str, int]]:
            filed = words.serving.model.file(
                [article.text for article in articles], [article.title for article in articles], n_threads=1
            )
            found = ninjs(words, articles, filed) if in_ninjs else words.prediction(articles, filed, all_topics)
            return found, Counter(filed.names[j] for j in filed.assigned.nonzero()[1])

        found, topics = work() if small and len(articles) <= SMALL_ARTICLES else await threads.run(work)
        metrics.filed(len(articles), topics)
        return Response(found, media_type=NINJS if in_ninjs else "application/json")

    @api.post(
        "/v1/explain",
        summary="Show the words that decide an article's topics",
        openapi_extra=body(schemas.ToExplain),
        responses={
            200: answer(schemas.Explanation, "Each topic's strongest words, and where they stand"),
            **errors(*WITH_BODY),
        },
    )
    async def explain(
        request: Request,
        words: Annotated[int, Query(ge=1, le=1000, description="How many words to show a topic.")] = 50,
        named: Annotated[
            list[str] | None,
            Query(
                alias="topic", description="Explain this topic, beside those of the body; may be given more than once."
            ),
        ] = None,
    ) -> Response:
        most_marks = MARKS_BESIDE + MARKS_EACH * settings.explained_topics
        asked = await explaining.run(parsed, schemas.ToExplain, await json_body(request), most_marks)
        _check_length(settings, "", asked)
        now = current()
        model, text, title = now.serving.model, asked.text, asked.title or ""
        for i, topic in enumerate(asked.topics or ()):
            if topic not in model.taxonomy:
                raise fault(f"/topics/{i}", "is not a topic of the model; GET /v1/topics lists those that are.")
        for name in named or ():
            if name not in model.taxonomy:
                raise Problem(
                    422,
                    f"The parameter topic is wrong: '{name[:LONGEST_NAME]}' is not a topic of the model; GET /v1/topics "
                    "lists those that are.",
                )

        def work() -> bytes:
            topics = list(dict.fromkeys([*(asked.topics or ()), *(named or ())]))
            # Filing is work of its own, for a model that may give an article too many.
            if not topics and len(model.taxonomy) > settings.explained_topics:
                topics = [topic for topic, _ in model.file([text], [title], n_threads=1).topics(0)]
            if len(topics) > settings.explained_topics:
                most = f"{settings.explained_topics:,}"
                raise fault("/topics", f"would be {len(topics):,} to explain; name at most {most} at a time.")
            return now.explanation(model.explain(text, title, topics or None, words=words), settings.explained_spans)

        return Response(await explaining.run(work), media_type="application/json")

    @api.get(
        "/v1/topics",
        summary="The topics that the model knows",
        responses={200: answer(schemas.Topics, "Names, codes, definitions and thresholds"), **errors(401, 422)},
    )
    async def topics() -> Response:
        return Response(current().taxonomy(), media_type="application/json")

    @api.post(
        "/v1/files",
        summary="File a whole CSV, JSON Lines or Parquet file",
        description="The answer is CSV, whatever the file is. Rows that cannot be read are left out of it: the header "
        "Kanal-Rejected says how many there were.",
        response_class=Response,
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "text/csv": {"schema": {"type": "string"}, "example": "judul,isi\nBola,Timnas menang 2-1.\n"},
                    "application/x-ndjson": {"schema": {"type": "string"}, "example": '{"isi": "Timnas menang 2-1."}\n'},
                    "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
                },
            }
        },
        responses={
            200: {
                "description": "A row for each of the file that can be read, in its order: id, topics, probabilities and "
                "note, the columns of the file, and with all=true one for each topic",
                "headers": {
                    "Kanal-Rows": {"description": "Rows filed.", "schema": {"type": "integer"}},
                    "Kanal-Rejected": {"description": "Rows that could not be read.", "schema": {"type": "integer"}},
                    "Kanal-Rejected-Rows": {
                        "description": "The first 20 of them, as a JSON array of objects with line and reason; absent "
                        "where there are none.",
                        "schema": {"type": "string"},
                    },
                    "Kanal-Model": {"description": "The model's version.", "schema": {"type": "string"}},
                },
                "content": {"text/csv": {"schema": {"type": "string"}}},
            },
            **errors(*WITH_BODY),
        },
    )  # fmt: skip
    async def files(
        request: Request,
        format: Format = None,
        title_column: Column = None,
        text_column: Column = None,
        all_topics: All = False,
    ) -> Response:
        upload = Upload(format_of(request, format), title_column, text_column, all_topics)
        response, answered = await uploads.answer(request, _serving(champion), upload)
        metrics.filed(answered.outcome.rows, answered.topics)
        return response

    @api.get(
        "/healthz", summary="Whether the process lives", responses={200: answer(schemas.Alive, "It does"), **errors()}
    )
    async def healthz() -> Response:
        return Response(b'{"status":"ok"}', media_type="application/json")

    @api.get(
        "/readyz",
        summary="Whether requests are answered, and by which model",
        responses={200: answer(schemas.Ready, "They are"), **errors()},
    )
    async def readyz() -> Response:
        if not champion.ready:
            raise Unavailable("No model is loaded, or the service is about to stop.", reason="not_ready")
        ready = schemas.Ready(
            status="ready", model=schemas.Model.model_validate(current().model), problem=champion.problem
        )
        return Response(ready.model_dump_json(), media_type="application/json")

    @api.get(
        "/metrics",
        summary="Figures for Prometheus",
        response_class=Response,
        responses={
            200: {"description": "Text", "content": {"text/plain": {"schema": {"type": "string"}}}},
            **errors(401),
        },
    )
    async def figures() -> Response:
        return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    if labelling:
        labelling.add_routes(api, lambda: _serving(champion).model.taxonomy)
    paths = frozenset(["/", "/openapi.json", *api.openapi()["paths"]])
    api.router.routes.extend(page_routes(labelling=labelling is not None))

    def respond(problem: Problem) -> Response:
        if problem.reason:
            metrics.refused.labels(problem.reason).inc()
        return problem.response()

    async def on_problem(_: Request, problem: Exception) -> Response:
        assert isinstance(problem, Problem)
        return respond(problem)

    api.add_exception_handler(Problem, on_problem)
    api.add_exception_handler(HTTPException, _on_http)
    api.add_exception_handler(RequestValidationError, _on_parameters)
    api.add_exception_handler(ClientDisconnect, _on_disconnect)
    api.add_exception_handler(Exception, _on_error)

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        """What most requests ask for goes past FastAPI, whose routing takes longer than filing an article does."""
        if scope["type"] != "http" or (scope["method"], scope["path"], scope["query_string"]) != ("POST", PREDICT, b""):
            await api(scope, receive, send)
            return
        try:
            response = await predict(Request(scope, receive))
        except ClientDisconnect:
            response = DISCONNECTED
        await response(scope, receive, send)

    hosts, keys, rates = Hosts(settings), Keys(settings.keys), Rates(settings.rate)

    def refusal(scope: Scope) -> Problem | None:
        if scope["path"] in HEALTH:
            return None
        holder = keys.holder(scope)
        return hosts.refusal(scope) or overload.refusal() or rates.refusal(scope, holder) or keys.refusal(scope, holder)

    return Observed(Limits(routed, settings, refusal, respond), metrics, paths)


def _refuse_unknown_parameters(request: Request) -> None:
    """Raises Problem for a parameter of the query that the path does not know, which would have no effect."""
    route = request.scope["route"]
    if not isinstance(route, APIRoute) or not route.path.startswith("/v1"):
        return
    known = [field.alias for field in route.dependant.query_params]
    for name in request.query_params:
        if name not in known:
            there = f"it takes {', '.join(known)}" if known else "it takes none"
            raise Problem(422, f"There is no parameter '{name[:LONGEST_NAME]}' of {route.path}; {there}.")


def _serving(champion: Champion) -> Serving:
    try:
        return champion.serving
    except RuntimeError:
        raise Unavailable("No model is loaded yet; ask again in a second.", reason="not_ready") from None


def _check_length(settings: Settings, path: str, article: schemas.Article | schemas.ToExplain) -> None:
    for name in ("title", "text"):
        length = len(getattr(article, name) or "")
        if length > settings.text_characters:
            raise fault(f"{path}/{name}", f"has {length:,} characters; send at most {settings.text_characters:,}.")


async def _on_http(_: Request, error: Exception) -> Response:
    """404 and 405."""
    assert isinstance(error, HTTPException)
    detail = {
        404: "There is nothing under this path; /openapi.json lists those that there are.",
        405: f"This path does not take this method; use {(error.headers or {}).get('Allow', 'another')}.",
    }
    return Problem(error.status_code, detail.get(error.status_code, error.detail), headers=error.headers).response()


async def _on_parameters(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return Problem(422, f"The parameter {first['loc'][-1]} is wrong: {first['msg']}.").response()


async def _on_disconnect(_: Request, __: Exception) -> Response:
    return DISCONNECTED


async def _on_error(_: Request, __: Exception) -> Response:
    return Problem(500, "Something failed here; the log of the service says what.").response()
