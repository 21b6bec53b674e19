"""A TCP server of a test's own on loopback, of which nothing is left when the test is through with it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    """Its port, while the block runs; each connection is served by a task.

    At the end the tasks are cancelled and all connections are closed. Also those whose client was gone before anybody
    came to serve it: a machine that is busy accepts them in the last moment, and their task never begins.
    """
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        tasks.add(asyncio.ensure_future(serve(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await closed(server)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
        # Their sockets are closed by the loop's next pass.
        await asyncio.sleep(0)


async def closed(server: asyncio.Server) -> None:
    """Close a server between two connections: asyncio's forgets one that it has just accepted, with its socket."""
    while accepting := [task for task in asyncio.all_tasks() if _accepts(task)]:
        await asyncio.wait(accepting)
    server.close()


def _accepts(task: "asyncio.Task[Any]") -> bool:
    """Whether it is one of the loop's own, by which a connection that was accepted gets its transport."""
    return getattr(task.get_coro(), "__name__", "") == "_accept_connection2"
