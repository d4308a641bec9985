"""What comes in and goes out as JSON."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema

from serve.article import EMPTY, NOT_INDONESIAN, UNCERTAIN, UNKNOWN_WORDS
from serve.service.settings import Settings

TITLE = "Raja Yordania Tiba di Jakarta"
TEXT = "Presiden menerima kunjungan kenegaraan Raja Yordania di Istana Merdeka, Jakarta, Rabu pagi."


class Incoming(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Article(Incoming):
    id: str | None = Field(None, description="Given back with the answer.")
    title: str | None = None
    text: str = Field(description="May be empty.")


class Articles(Incoming):
    model_config = ConfigDict(json_schema_extra={"example": {"articles": [{"id": "a1", "title": TITLE, "text": TEXT}]}})

    articles: list[Article] = Field(min_length=1)


class ManyArticles(Articles):
    """The same, read up to the first article that is at fault: millions of faults would take gigabytes."""

    articles: list[Article] = Field(min_length=1, fail_fast=True)


class ToExplain(Incoming):
    model_config = ConfigDict(json_schema_extra={"example": {"title": TITLE, "text": TEXT, "topics": ["state_visit"]}})

    title: str | None = None
    text: str
    topics: list[str] | None = Field(
        None,
        fail_fast=True,
        description="Ids; default: those assigned, or the likeliest one where there is none.",
    )


class Model(BaseModel):
    version: str = Field(examples=["3f2a0c71b9de"])
    registry: str | None = Field(
        description="Its address in the registry; null for a folder.", examples=["models:/kanal/3"]
    )


class Topic(BaseModel):
    id: str = Field(examples=["state_visit"])
    name_id: str = Field(examples=["Kunjungan kenegaraan"])
    name_en: str = Field(examples=["State visit"])
    iptc: list[str] = Field(description="IPTC Media Topics.", examples=[["medtop:20000639"]])
    iab: list[str] = Field(description="IAB Content Taxonomy 3.1.", examples=[["388"]])
    probability: float = Field(ge=0, le=1, examples=[0.9312])
    threshold: float = Field(ge=0, le=1, examples=[0.312])
    assigned: bool


class Filed(BaseModel):
    id: str | None
    topics: list[Topic] = Field(description="Likeliest first.")
    uncertain: bool
    notes: list[str] = Field(
        description=f'"{UNCERTAIN}", "{NOT_INDONESIAN}: English" (or what it is in), "{UNKNOWN_WORDS}", "{EMPTY}".'
    )


class Prediction(BaseModel):
    model: Model
    articles: list[Filed] = Field(description="In the order of the request.")


class Span(BaseModel):
    field: Literal["title", "text"]
    start: int
    end: int = Field(description="Exclusive; both count code points of the title or text as it was sent.")


class Word(BaseModel):
    term: str = Field(examples=["kunjungan kenegaraan"])
    value: float = Field(description="What it adds to the score.")
    count: int = Field(description="In how many places of title and text it stands.", examples=[1])
    spans: list[Span] = Field(description="These places, or the first of them.")


class ExplainedTopic(Topic):
    score: float = Field(description="The bias and the values of all words, added up.")
    bias: float
    words: list[Word] = Field(
        description="The strongest ones of `terms`, as many as `words` asks for; strongest first, those against the topic included."
    )


class Removed(BaseModel):
    kind: str = Field(examples=["dateline"])
    start: int
    end: int


class Explanation(BaseModel):
    model: Model
    terms: int = Field(description="How many words and word pairs of the article the model knows.", examples=[7])
    topics: list[ExplainedTopic]
    removed: list[Removed] = Field(description="What cleaning took out of the text.")
    uncertain: bool
    notes: list[str]


class Definition(BaseModel):
    id: str
    group: str
    name_id: str
    name_en: str
    iptc: list[str]
    iab: list[str]
    about: str
    not_about: str


class TopicFacts(Definition):
    threshold: float


class Topics(BaseModel):
    model: Model
    topics: list[TopicFacts]


class Alive(BaseModel):
    status: Literal["ok"]


class Ready(BaseModel):
    status: Literal["ready"]
    model: Model
    problem: str | None = Field(description="Why a newer champion is not in use.")


class Fault(BaseModel):
    pointer: str = Field(description="A JSON pointer into the body.", examples=["/articles/3/text"])
    detail: str


class ProblemBody(BaseModel):
    """RFC 9457."""

    type: Literal["about:blank"]
    title: str
    status: int
    detail: str = Field(description="What is wrong, and what to do.")
    errors: list[Fault] | None = Field(None, description="Where a body is at fault.")


def request_schemas(settings: Settings) -> dict[str, Any]:
    """The JSON schemas of the bodies that come in, by name, with the limits that apply."""
    _, found = models_json_schema(
        [(Articles, "validation"), (ToExplain, "validation")], ref_template="#/components/schemas/{model}"
    )
    schemas: dict[str, Any] = found["$defs"]
    schemas["Articles"]["properties"]["articles"]["maxItems"] = settings.articles
    for name in ("Article", "ToExplain"):
        schemas[name]["properties"]["text"]["maxLength"] = settings.text_characters
        schemas[name]["properties"]["title"]["anyOf"][0]["maxLength"] = settings.text_characters
    schemas["ToExplain"]["properties"]["topics"]["anyOf"][0]["maxItems"] = settings.explained_topics
    return schemas
