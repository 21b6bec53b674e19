"""OpenTelemetry traces, only where a collector is configured: one server span a request, joined to the caller's."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from offhook.kit.errors import shown

Message = MutableMapping[str, Any]


class Traced:
    """An ASGI application whose requests are traced to an OTLP/HTTP collector at `endpoint`."""

    def __init__(self, app: Callable[..., Awaitable[None]], endpoint: str) -> None:
        self._app = app
        self._provider = TracerProvider(resource=Resource.create({SERVICE_NAME: "offhook"}))
        address = endpoint.rstrip("/")
        if not address.endswith("/v1/traces"):
            address += "/v1/traces"
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=address)))
        self._tracer = self._provider.get_tracer("offhook")
        self._propagator = TraceContextTextMapPropagator()

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Answer a request within a span."""
        carrier = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"] if k == b"traceparent"}
        # The path, never the query: a key may stand there.
        path = shown(scope["path"])
        name = f"{scope['method']} {path}"
        with self._tracer.start_as_current_span(
            name,
            context=self._propagator.extract(carrier),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": scope["method"], "url.path": path},
        ) as span:

            async def noted(message: Message) -> None:
                if "status" in message:
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(Status(StatusCode.ERROR))
                await send(message)

            await self._app(scope, receive, noted)

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()
