"""`make bench`: runs the scenarios, prints one table, writes bench/out/latest.json; status 1 if a bar is missed."""

import argparse
import os
import platform
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from bench.calls import calls
from bench.decisions import decisions
from bench.directory import directory
from bench.reservations import reservations
from bench.scenarios import ROOT, SCENARIOS, Bench, Figure, Options, workplace
from bench.server import BenchError
from bench.verification import verification

OUT = ROOT / "bench" / "out"
ALL = {
    **SCENARIOS,
    "directory": directory,
    "decisions": decisions,
    "verification": verification,
    "reservations": reservations,
    "calls": calls,
}
QUICK = Options(rounds=2, seconds=1.5, many=20_000)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the server on this machine.")
    parser.add_argument("--quick", action="store_true", help="a short run: shows that all works, no figures")
    parser.add_argument("--only", action="append", choices=list(ALL), metavar="NAME", help=", ".join(ALL))
    parser.add_argument("--rounds", type=int, help="bursts of each kind")
    parser.add_argument("--seconds", type=float, help="length of a burst")
    parser.add_argument("--many", type=int, help="offices in the large store")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for stores and latest.json; on a real disk")
    given = parser.parse_args(arguments)
    options = QUICK if given.quick else Options()
    changed = {name: getattr(given, name) for name in ("rounds", "seconds", "many") if getattr(given, name)}
    options = replace(options, **changed)
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    began, failed = time.monotonic(), {}
    with workplace(given.out) as folder, console.status("starting") as status:

        def say(text: str) -> None:
            if console.is_terminal:
                status.update(text)
            else:
                console.print(text, style="dim", highlight=False)

        bench = Bench(options, folder, say)
        for name in given.only or ALL:
            try:
                ALL[name](bench)
            except BenchError as error:
                failed[name] = str(error)
    took = time.monotonic() - began
    report(console, bench, failed, took)
    write(given.out / "latest.json", bench, failed, took, quick=given.quick)
    missed = any(figure.reached is False for figure in bench.figures)
    return 1 if missed or failed else 0


def report(console: Console, bench: Bench, failed: dict[str, str], took: float, what: str = "") -> None:
    """The table, and loudly what is not in it; `what` says how it was measured, if not in rounds."""
    options = bench.options
    what = what or f"medians of {options.rounds} rounds of {options.seconds:g} s"
    table = Table(title=f"{what}; {os.cpu_count()} cores; took {took:.0f} s", title_justify="left")
    table.add_column("what")
    for heading in ("reached", "lowest", "highest", "bar"):
        table.add_column(heading, justify="right")
    table.add_column("")
    table.add_column("note", overflow="fold")
    for figure in bench.figures:
        table.add_row(
            figure.name,
            shown(figure.value, figure.unit),
            "" if figure.low is None else shown(figure.low, ""),
            "" if figure.high is None else shown(figure.high, ""),
            bar_of(figure),
            {None: "", True: "[green]ok[/]", False: "[bold red]MISSED[/]"}[figure.reached],
            figure.note,
        )
    console.print(table)
    for name, reason in bench.left_out.items():
        console.print(f"NOT MEASURED: {name}. {reason}", style="bold red", markup=False)
    for name, reason in failed.items():
        console.print(f"FAILED: {name}. {reason}", style="bold red", markup=False)


def shown(value: float, unit: str) -> str:
    """A figure with three digits that mean something."""
    if unit == "x" or value < 1:
        text = f"{value:.3f}"
    else:
        text = f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
    return text if unit in ("", "x") else f"{text} {unit}"


def bar_of(figure: Figure) -> str:
    """The bar as it is read: at least, or at most."""
    if figure.bar is None:
        return ""
    return f"{'≤' if figure.at_most else '≥'} {figure.bar:g}"


def write(path: Path, bench: Bench, failed: dict[str, str], took: float, *, quick: bool) -> None:
    """All of it for programs, with every burst."""
    data: dict[str, Any] = {
        "quick": quick,
        "took_seconds": round(took, 1),
        "machine": {
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "options": asdict(bench.options),
        "figures": [{**asdict(figure), "reached": figure.reached} for figure in bench.figures],
        "bursts": {name: [asdict(burst) for burst in bursts] for name, bursts in bench.bursts.items()},
        "left_out": bench.left_out,
        "failed": failed,
    }
    path.write_bytes(msgspec.json.format(msgspec.json.encode(data), indent=2) + b"\n")


if __name__ == "__main__":
    sys.exit(main())
