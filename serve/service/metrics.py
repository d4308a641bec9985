"""What the service counts, for Prometheus."""

import os
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

# From a tenth of a millisecond to half a minute.
BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 120, 600)


disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """The counters of one process; with PROMETHEUS_MULTIPROC_DIR they are shared by several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("kanal_requests", "Requests answered", ("path", "status"), registry=self.registry)
        self.seconds = Histogram(
            "kanal_request_seconds",
            "Time until the answer was sent",
            ("path",),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.articles = Counter("kanal_articles", "Articles filed", registry=self.registry)
        self.topics = Counter("kanal_topics", "Articles filed under a topic", ("topic",), registry=self.registry)
        self.refused = Counter("kanal_refused", "Requests refused", ("reason",), registry=self.registry)
        self.reload_failures = Counter(
            "kanal_reload_failures", "New champions that could not be loaded", registry=self.registry
        )
        self.model = Gauge(
            "kanal_model_info", "Processes that use a version of the model", ("version",),
            multiprocess_mode="livesum", registry=self.registry,
        )  # fmt: skip
        self._version: str | None = None

        # To find a counter by its labels takes as long as many other parts of an answer.
        self._answers: dict[tuple[str, int], Counter] = {}
        self._times: dict[str, Histogram] = {}
        self._by_topic: dict[str, Counter] = {}

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Counts an answer, and the time that it took."""
        answers = self._answers.get((path, status))
        if answers is None:
            answers = self._answers[path, status] = self.requests.labels(path, status)
        times = self._times.get(path)
        if times is None:
            times = self._times[path] = self.seconds.labels(path)
        answers.inc()
        times.observe(seconds)

    def filed(self, articles: int, topics: Mapping[str, int]) -> None:
        """Counts articles that were filed, and how many of them under each topic."""
        self.articles.inc(articles)
        for topic, number in topics.items():
            counter = self._by_topic.get(topic)
            if counter is None:
                counter = self._by_topic[topic] = self.topics.labels(topic)
            counter.inc(number)

    def use(self, version: str) -> None:
        """Notes that this process answers with another version of the model."""
        if self._version is not None:
            self.model.labels(self._version).set(0)
        self.model.labels(version).set(1)
        self._version = version

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self.registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
