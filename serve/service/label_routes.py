"""The routes of a label store: articles handed out to people, and their labels taken in."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

from fastapi import FastAPI, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from serve.labelling.store import ConflictError, Labelled, LabelStore, StoreError, Version
from serve.service import label_schemas as schemas
from serve.service.bodies import json_body, parsed
from serve.service.openapi import WITH_BODY, answer, body, errors
from serve.service.problems import Problem, TooLarge, Unavailable, fault
from serve.service.threads import Threads
from serve.topics import Topic

P = ParamSpec("P")
R = TypeVar("R")
B = TypeVar("B", bound=BaseModel)

# Of a body; it is read in the event loop.
MOST_BYTES = 64 * 2**10

NO_TASK = "There is no article of this id to label."

logger = logging.getLogger("kanal.service")


class Labelling:
    """A label store and the thread that uses it: a write waits for the disk, and for other processes."""

    def __init__(self, path: Path, places: int) -> None:
        self.store = LabelStore(path)
        # The store takes one call at a time.
        self.threads = Threads(1, places, "labels")

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """function(...), a call of the store. Raises Problem when there is no such task, or the store cannot be used."""
        try:
            return await self.threads.run(function, *args, **kwargs)
        except KeyError:
            raise Problem(404, NO_TASK) from None
        except StoreError as error:
            logger.error("%s", error)
            raise Unavailable(
                "The label store cannot be used at the moment, nothing was changed; ask again in a second.",
                reason="labels",
            ) from None

    def close(self) -> None:
        """Ends the use of the store after the calls in hand."""
        self.threads.pool.shutdown(cancel_futures=True)
        self.store.close()

    def add_routes(self, api: FastAPI, taxonomy: Callable[[], Mapping[str, Topic]]) -> None:
        """Adds /v1/labels and what is under it. `taxonomy` gives the model's topics, for a store that names none."""
        store = self.store

        def offered() -> list[Topic]:
            return store.topics() or list(taxonomy().values())

        @api.get(
            "/v1/labels",
            summary="How far the labelling is",
            responses={200: answer(schemas.LabelProgress, "Articles, labels, and who gave them"), **errors(401, 422)},
        )
        async def progress() -> Response:
            found = await self.run(store.progress)
            shares = [schemas.AnnotatorShare(annotator=name, labels=n) for name, n in found.by_annotator.items()]
            return _json(schemas.LabelProgress(tasks=found.tasks, labelled=found.labelled, annotators=shares))

        @api.get(
            "/v1/labels/topics",
            summary="The topics to choose from",
            responses={
                200: answer(schemas.OfferedTopics, "Their names and definitions, in their order"),
                **errors(401, 422),
            },
        )
        async def topics() -> Response:
            found = await self.run(offered)
            return _json(schemas.OfferedTopics.model_validate({"topics": [asdict(topic) for topic in found]}))

        @api.post(
            "/v1/labels/next",
            summary="Hand out an article to label",
            description="It is nobody else's for ten minutes; who asks again before they have labelled it gets it again.",
            openapi_extra=body(schemas.Annotator),
            responses={200: answer(schemas.NextTask, "The article, if there is one"), **errors(*WITH_BODY)},
        )
        async def following(request: Request) -> Response:
            asked = await _read(schemas.Annotator, request)
            version = await self.run(store.next, asked.annotator)
            return _json(schemas.NextTask(task=_task(version) if version else None))

        @api.get(
            "/v1/labels/task",
            summary="An article to label, by its id",
            responses={200: answer(schemas.LabelTask, "The article, and its label"), **errors(401, 404, 422)},
        )
        async def task(id: Annotated[str, Query(description="The task's.")]) -> Response:
            return _json(_task(await self.run(store.get, id)))

        @api.post(
            "/v1/labels/save",
            summary="Label an article",
            description="The label is on the disk when this answers. The same save sent again changes nothing.",
            openapi_extra=body(schemas.Decision),
            responses={
                200: answer(schemas.LabelState, "The label as it now holds"),
                **errors(*WITH_BODY, 404),
                409: answer(
                    schemas.ConflictBody, "Somebody else has labelled it meanwhile: what they saved", problem=True
                ),
            },
        )
        async def save(request: Request) -> Response:
            given = await _read(schemas.Decision, request)
            known = {topic.id for topic in await self.run(offered)}
            for i, topic in enumerate(given.topics):
                if topic not in known:
                    raise fault(f"/topics/{i}", "is not one of the topics; GET /v1/labels/topics lists them.")
            chosen = list(dict.fromkeys(given.topics))
            try:
                version = await self.run(store.save, given.id, chosen, given.annotator, given.revision)
            except ConflictError as conflict:
                raise Problem(
                    409,
                    "The label was changed since you were given the article; save again with the revision of `current` to replace it.",
                    members={"current": _standing(conflict.version).model_dump()},
                ) from None
            return _json(_standing(version))

        @api.post(
            "/v1/labels/skip",
            summary="Leave an article to others",
            openapi_extra=body(schemas.Skip),
            responses={200: answer(schemas.LabelState, "The label, which stays as it is"), **errors(*WITH_BODY, 404)},
        )
        async def skip(request: Request) -> Response:
            given = await _read(schemas.Skip, request)
            return _json(_standing(await self.run(store.skip, given.id, given.annotator)))

        @api.post(
            "/v1/labels/undo",
            summary="Take back one's last label or skip",
            openapi_extra=body(schemas.Annotator),
            responses={200: answer(schemas.Undone, "What was taken back, and its article"), **errors(*WITH_BODY)},
        )
        async def undo(request: Request) -> Response:
            given = await _read(schemas.Annotator, request)
            undone = await self.run(store.undo, given.annotator)
            if undone is None:
                return _json(schemas.Undone(task=None, topics=None))
            topics = None if undone.topics is None else list(undone.topics)
            return _json(schemas.Undone(task=_task(undone.version), topics=topics))

        @api.get(
            "/v1/labels/list",
            summary="The articles labelled last, or skipped",
            responses={200: answer(schemas.TaskList, "The articles without their texts"), **errors(401, 422)},
        )
        async def listing(
            skipped_by: Annotated[
                str | None,
                Query(
                    description="In place of the labelled ones: those that this annotator skipped and nobody labelled."
                ),
            ] = None,
            limit: Annotated[int, Query(ge=1, le=1000)] = 50,
        ) -> Response:
            if skipped_by is None:
                found = await self.run(store.latest, limit)
            else:
                found = await self.run(store.skipped, skipped_by, limit)
            return _json(schemas.TaskList(tasks=[_listed(version) for version in found]))


async def _read(model: type[B], request: Request) -> B:
    """The body of a request. Raises Problem when it is larger than what is said of a label, or not as it should be."""
    data = await json_body(request)
    if len(data) > MOST_BYTES:
        raise TooLarge(MOST_BYTES)
    return parsed(model, data)


def _json(model: BaseModel) -> Response:
    return Response(model.model_dump_json(), media_type="application/json")


def _given(label: Labelled | None) -> dict[str, Any] | None:
    if label is None:
        return None
    return {"topics": label.topics, "annotator": label.annotator, "at": label.at}


def _standing(version: Version) -> schemas.LabelState:
    return schemas.LabelState.model_validate({"revision": version.revision, "label": _given(version.label)})


def _listed(version: Version) -> schemas.ListedTask:
    task = version.task
    return schemas.ListedTask.model_validate({"id": task.id, "title": task.title, "label": _given(version.label)})


def _task(version: Version) -> schemas.LabelTask:
    suggested = [{"topic": topic, "probability": probability} for topic, probability in version.task.suggested]
    facts = {**asdict(version.task), "suggested": suggested, "revision": version.revision}
    return schemas.LabelTask.model_validate({**facts, "label": _given(version.label)})
