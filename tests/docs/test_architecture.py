"""ARCHITECTURE.md names every module of the house."""

from tests.docs.tables import ROOT

PAGE = (ROOT / "ARCHITECTURE.md").read_text()
MAP = [line for line in PAGE.partition("The rooms of")[0].splitlines() if line.startswith("|")]

ROOMS = PAGE.partition("The rooms of `directory/`:")[2].partition("\n\nInside")[0]


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
        elif len(module.parts) == 2:
            named = f"`{module.name}`" in rows.get(module.parts[0], "") or f"`{module.name}`" in ROOMS
        elif module.parts[0] != "directory":
            named = f"`{module.parts[1]}/`" in rows.get(module.parts[0], "")
        else:
            usual = f"`{module.name}`" in rows.get(module.parts[0], "")
            named = f"`{module.parts[1]}`" in ROOMS and (usual or f"`{module.name}`" in ROOMS)
        if not named:
            missing.append(str(module))
    assert missing == []
