"""Tasks that do something by themselves: requests, waits, ends."""

from typing import Any

from offhook.kit.errors import shown
from offhook.workflows.definitions.imports.format import KNOWN, Raw
from offhook.workflows.definitions.imports.values import Values
from offhook.workflows.definitions.imports.way import Done, Making, Way, past

_HTTP = ("url", "method", "headers", "body")


class Doing:
    """Compiles them; `base` are the fields that all tasks have."""

    def __init__(self, making: Making, values: Values) -> None:
        self._making, self._values = making, values

    def http(self, way: Way, at: str, task: Raw, own: Raw | None, base: Raw, pending: list[Raw]) -> Raw:
        sent = task["httpRequest"]
        for one in sent:
            if one not in _HTTP:
                self._making.report.lacks(
                    f"{at}.httpRequest.{shown(one)}", "No such field is known.", "See if it is needed."
                )

        def value(name: str) -> Any:
            return self._values.value(way, sent[name], f"{at}.httpRequest.{name}", own, pending, base)

        request: Raw = {"uri": value("url"), "method": str(sent.get("method") or "GET").upper()}
        if isinstance(sent.get("headers"), dict):
            request["headers"] = value("headers")
        if sent.get("body") is not None:
            request["body"] = value("body")
        for name, ours, default in (
            ("connectionTimeoutSeconds", "connectionTimeOut", 5),
            ("readTimeoutSeconds", "readTimeOut", 10),
        ):
            given = task.get(name)
            seconds: int = given if isinstance(given, int) and 0 < given <= 3_600 else default
            request[ours] = seconds * 1_000
        if task.get("credentials"):
            request["credential"] = str(task["credentials"])[:200]
            why = f"Credentials are not part of a definition; {shown(request['credential'])} is only their id."
            self._making.report.lacks(f"{at}.credentials", why, "Keep a credential of this name in the workbench.")
        made = {**base, "type": "HTTP", "inputParameters": {**(own or {}), "http_request": request}}
        if isinstance(task.get("retry"), dict):
            made["taskDefinition"] = self._retry(task["retry"], f"{at}.retry", base["taskReferenceName"])
        return made

    def _retry(self, retry: Raw, at: str, ref: str) -> Raw:
        def number(name: str, default: float, most: float) -> float:
            value = retry.get(name)
            good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most
            if value is not None and not good:
                self._making.report.lacks(f"{at}.{name}", "It is no number within limits.", f"{default} was taken.")
            return value if good and value is not None else default

        rate = number("backoffRate", 1.0, 1_000)
        made: Raw = {
            "name": ref,
            "retryCount": int(number("maxAttempts", 3, 1_000)),
            "retryDelaySeconds": int(number("intervalSeconds", 1, 86_400)),
            "retryLogic": "EXPONENTIAL_BACKOFF" if rate > 1 else "FIXED",
        }
        if rate not in (1.0, 2.0):
            why = f"Delays grow by 2 or not at all, not by {rate}."
            self._making.report.lacks(f"{at}.backoffRate", why, "See whether doubling suits.")
        self._making.report.became(at, f"a taskDefinition with {made['retryLogic']}, {made['retryCount']} repetitions")
        return made

    def wait(self, way: Way, at: str, task: Raw, own: Raw | None, base: Raw, pending: list[Raw]) -> Raw:
        (name,) = [one for one in KNOWN["Wait"] if task.get(one) is not None]
        value = self._values.value(way, task[name], f"{at}.{name}", own, pending, base)
        times = {"duration": f"{value} seconds"} if name.startswith("seconds") else {"until": value}
        self._making.report.became(f"{at}.{name}", f"a WAIT with {next(iter(times))}")
        return {**base, "type": "WAIT", "inputParameters": {**(own or {}), **times}}

    def terminate(self, way: Way, name: str, task: Raw, own: Raw | None, base: Raw, pending: list[Raw]) -> Done:
        at, ref = f"{way.place}tasks[{name!r}]", base["taskReferenceName"]
        output = self._values.value(way, task.get("workflowOutput"), f"{at}.workflowOutput", own, pending, base)
        if way.branch and task["terminationStatus"] == "Completed":
            if output is None:
                output = own if own is not None else self._values.before(way, at)
            inputs = {"value": output, "queryExpression": ".value"}
            self._making.report.became(at, "the end of its branch: a JSON_JQ_TRANSFORM that gives the output")
            made = {**base, "type": "JSON_JQ_TRANSFORM", "inputParameters": inputs}
        else:
            inputs = {"terminationStatus": task["terminationStatus"].upper()}
            made = {
                **base,
                "type": "TERMINATE",
                "inputParameters": inputs | ({"workflowOutput": output} if output else {}),
            }
        return Done([*pending, made], past(way, name, ref))
