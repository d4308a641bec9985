"""What comes in and goes out as JSON where articles are labelled."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from serve.service.schemas import TEXT, TITLE, Definition, Incoming, ProblemBody

Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        pattern=r"^\S(.*\S)?$",
        description="Who labels; a name, the same each time.",
        examples=["Sari"],
    ),
]


class Annotator(Incoming):
    annotator: Name


class Skip(Annotator):
    id: str = Field(description="The task's.", examples=["a1"])


class Decision(Skip):
    model_config = ConfigDict(
        json_schema_extra={"example": {"id": "a1", "topics": ["state_visit"], "annotator": "Sari", "revision": 0}}
    )

    topics: list[str] = Field(
        fail_fast=True, description="Ids, main topic first; empty where none of the topics holds."
    )
    revision: int = Field(ge=0, description="That of the task when it was shown.")


class GivenLabel(BaseModel):
    """A label that holds."""

    topics: list[str] = Field(examples=[["state_visit"]])
    annotator: str = Field(examples=["Sari"])
    at: str = Field(description="ISO 8601, UTC.", examples=["2026-03-02T04:05:06.789+00:00"])


class LabelState(BaseModel):
    revision: int = Field(description="Changes with each label; 0 before the first.")
    label: GivenLabel | None


class Suggestion(BaseModel):
    topic: str
    probability: float


class LabelTask(LabelState):
    id: str = Field(examples=["a1"])
    title: str = Field(examples=[TITLE])
    text: str = Field(examples=[TEXT])
    date: str
    outlet: str
    suggested: list[Suggestion] = Field(description="The model's topics, likeliest first.")
    reason: str = Field(description="Why the article was picked.", examples=["uncertain: state_visit 0.48"])


class NextTask(BaseModel):
    task: LabelTask | None = Field(description="null: nothing is left for this annotator.")


class Undone(BaseModel):
    task: LabelTask | None = Field(description="As it stands now; null: there was nothing to take back.")
    topics: list[str] | None = Field(description="What had been saved; null where the task had been skipped.")


class AnnotatorShare(BaseModel):
    annotator: str
    labels: int


class LabelProgress(BaseModel):
    tasks: int
    labelled: int
    annotators: list[AnnotatorShare] = Field(description="The labels that hold, by who gave them; most first.")


class ListedTask(BaseModel):
    id: str
    title: str
    label: GivenLabel | None


class TaskList(BaseModel):
    tasks: list[ListedTask]


class OfferedTopics(BaseModel):
    topics: list[Definition]


class ConflictBody(ProblemBody):
    """RFC 9457, and what somebody else has saved."""

    current: LabelState


MODELS: tuple[type[BaseModel], ...] = (
    Annotator, Skip, Decision, LabelState, LabelTask, NextTask, Undone, LabelProgress, TaskList, OfferedTopics, ConflictBody,
)  # fmt: skip
