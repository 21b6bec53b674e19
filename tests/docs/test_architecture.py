"""ARCHITECTURE.md names every module of the house."""

from tests.docs.tables import ROOT

MAP = [line for line in (ROOT / "ARCHITECTURE.md").read_text().splitlines() if line.startswith("|")]


def test_every_module_has_its_place_on_the_map():
    house = ROOT / "src" / "offhook"
    modules = [path.relative_to(house).with_suffix("") for path in house.rglob("*.py")]
    rows = {line.split("|")[1].strip().strip("`").rstrip("/"): line for line in MAP}
    missing = []
    for module in modules:
        if module.name.startswith("__") or "migrations" in module.parts:
            continue
        if len(module.parts) == 1:
            named = any(module.name in cell.replace("`", "").replace(",", "").split() for cell in rows)
        else:
            named = f"`{module.name}`" in rows.get(module.parts[0], "")
        if not named:
            missing.append(str(module))
    assert missing == []
