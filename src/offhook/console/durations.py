"""Lengths of time as pages say them: short, and no more exact than one looks. Pure."""


def short(seconds: float) -> str:
    """`0.034` as "34 ms", `7.25` as "7.3 s", `4000` as "1 h 6 min"."""
    if seconds < 0.9995:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, name, less, inner in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // less
            return f"{whole // size} {name}" + (f" {rest} {inner}" if rest else "")
    return f"{whole} s"
