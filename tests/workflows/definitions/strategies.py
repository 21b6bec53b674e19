"""Random definitions that keep every rule."""

from typing import Any

from hypothesis import strategies as st

from tests.workflows.definitions.shapes import Raw, definition, end, fork, http, loop, switch, task, wait


@st.composite
def definitions(draw: st.DrawFn) -> Raw:
    """A definition with tasks of most types, nested up to four levels."""
    count = iter(range(10_000))

    def ref(kind: str) -> str:
        return f"{kind}_{next(count)}"

    def leaf() -> Raw:
        kind = draw(st.sampled_from(["http", "wait", "noop", "human", "set", "jq", "end"]))
        name = ref(kind)
        match kind:
            case "http":
                return http(name)
            case "wait":
                return wait(name, duration=draw(st.sampled_from(["1s", "2 minutes"])))
            case "set":
                return task(name, "SET_VARIABLE", inputParameters={"x": 1})
            case "jq":
                return task(name, "JSON_JQ_TRANSFORM", inputParameters={"queryExpression": "."})
            case "end":
                return end(name, draw(st.sampled_from(["COMPLETED", "FAILED"])))
            case _:
                return task(name, kind.upper())

    def tasks(depth: int) -> list[Raw]:
        made: list[Raw] = []
        for _ in range(draw(st.integers(1, 3))):
            kind = draw(st.sampled_from(["leaf", "leaf", "switch", "fork", "loop"])) if depth else "leaf"
            if kind == "leaf":
                made.append(leaf())
            elif kind == "switch":
                cases: dict[str, Any] = {f"C{number}": tasks(depth - 1) for number in range(draw(st.integers(1, 2)))}
                default = tasks(depth - 1) if draw(st.booleans()) else []
                made.append(switch(ref("switch"), "${workflow.input.x}", **cases, default=default))
            elif kind == "fork":
                branches = [tasks(depth - 1) for _ in range(draw(st.integers(1, 3)))]
                made += fork(ref("fork"), *branches)
            else:
                made.append(loop(ref("loop"), *tasks(depth - 1)))
        return made

    return definition(*tasks(draw(st.integers(0, 3))))
