"""What is measured on any page: accessibility, the size of text and of targets, and what is in sight."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_EVERYTHING = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
_CONTRAST = {"type": "rule", "values": ["color-contrast"]}

# A choice inside its label is tapped on the label, the link of a row anywhere on the row. Rows adjoin, so
# each is taken without its outer 4 px. What is drawn outside the page, or lies under an open panel, is not
# tapped at all.
_TARGETS = """
() => {
  scrollTo(0, 0);
  const boxes = [];
  const panels = [...document.querySelectorAll(
    ".menu[open] > .menu-panel, .picker[open] > .picker-panel, .save-bar, .plan-card:has([data-loss], [data-overage])"
  )];
  const under = (control, box) => panels.some((panel) => {
    const over = panel.getBoundingClientRect();
    return !panel.contains(control) && box.right > over.left && box.left < over.right
        && box.bottom > over.top - 8 && box.top < over.bottom;
  });
  for (const control of document.querySelectorAll("a[href], button, summary, input:not([type=hidden]), select")) {
    const row = control.matches(".row-link") ? control.closest("tr") : null;
    const target = row ?? control.closest("label") ?? control;
    const box = target.getBoundingClientRect();
    const seen = target.checkVisibility({visibilityProperty: true, opacityProperty: true});
    if (!seen || box.width <= 1 || box.right <= 0 || box.bottom <= 0) continue;
    if (under(control, box)) continue;
    const name = control.id || control.getAttribute("aria-label") || control.textContent.trim().slice(0, 40);
    const frame = control.closest(".secret, .search");
    const rim = row ? 4 : 0;
    boxes.push({name: `${control.localName} ${name}`, x: box.left, y: box.top + rim, right: box.right,
                bottom: box.bottom - rim, inside: frame ? [...document.querySelectorAll("*")].indexOf(frame) : -1});
  }
  return boxes;
}
"""

_SMALL_TEXT = """
() => {
  const small = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || !parent.checkVisibility({visibilityProperty: true})) continue;
    const size = parseFloat(getComputedStyle(parent).fontSize);
    if (size < 14) small.push(`${size}px: ${text.slice(0, 40)}`);
  }
  for (const field of document.querySelectorAll("input:not([type=hidden], [type=radio], [type=checkbox])")) {
    const size = parseFloat(getComputedStyle(field).fontSize);
    if (size < 14) small.push(`${size}px: ${field.id}`);
  }
  return small;
}
"""

_ROWS_IN_SIGHT = """
() => [...document.querySelectorAll("[data-username]")].filter((row) => {
  const box = row.getBoundingClientRect();
  return box.top >= 0 && box.bottom <= innerHeight;
}).length
"""

_STICKING_OUT = """
() => [...document.querySelectorAll(".chip > *, .button > *")].filter((part) => {
  const inner = part.getBoundingClientRect(), outer = part.parentElement.getBoundingClientRect();
  if (part.matches("input") || !part.checkVisibility() || !inner.width) return false;
  return inner.top < outer.top || inner.bottom > outer.bottom || inner.left < outer.left || inner.right > outer.right;
}).map((part) => part.textContent.slice(0, 40))
"""

_ROOM = """
() => Math.floor((innerHeight - document.querySelector(".rows tbody").getBoundingClientRect().top) / 60)
"""


def axe(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 A and AA, and at night, when only the colors change, the contrast."""
    found = []
    for scheme, rules in (("light", _EVERYTHING), ("dark", _CONTRAST)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        result = Axe().run(page, options={"runOnly": rules}).response
        assert result["passes"], "axe looked at nothing"
        found += [
            f"{scheme}: {rule['id']}: {node['target']} {node.get('failureSummary', '')}"
            for rule in result["violations"] for node in rule["nodes"]
        ]  # fmt: skip
    return found


def targets(page: Page) -> list[dict[str, Any]]:
    """Every control in sight, with its box."""
    return list(page.evaluate(_TARGETS))


def small_targets(page: Page) -> list[str]:
    """Controls under 48 × 48 px, which a finger misses."""
    return [
        f"{box['name']}: {box['right'] - box['x']:.0f} × {box['bottom'] - box['y']:.0f}"
        for box in targets(page)
        if min(box["right"] - box["x"], box["bottom"] - box["y"]) < 47.5
    ]


def close_targets(page: Page) -> list[str]:
    """Pairs of controls less than 8 px apart; what shares one field's frame is one control."""
    boxes = targets(page)
    pairs = [(one, two) for place, one in enumerate(boxes) for two in boxes[place + 1 :]]
    return [
        f"{one['name']} and {two['name']}: {_gap(one, two):.1f}"
        for one, two in pairs
        if _gap(one, two) < 7.5 and not (one["inside"] == two["inside"] != -1)
    ]


def small_text(page: Page) -> list[str]:
    """Visible text under 14 px."""
    return list(page.evaluate(_SMALL_TEXT))


def rows_in_sight(page: Page) -> int:
    """Rows of the list that are wholly in sight without scrolling."""
    return int(page.evaluate(_ROWS_IN_SIGHT))


def room_for_rows(page: Page) -> int:
    """How many rows of one line each fit between the top of the list and the end of the window."""
    return int(page.evaluate(_ROOM))


def misfits(page: Page) -> list[str]:
    """Where the page scrolls sideways, or words stick out of what is tapped: narrow, tablet and wide."""
    found, before = [], page.viewport_size
    for width in (360, 768, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        wanted = int(page.evaluate("document.documentElement.scrollWidth"))
        found += [f"at {width} px it wants {wanted}"] if wanted > width else []
        found += [f"at {width} px sticks out: {words}" for words in page.evaluate(_STICKING_OUT)]
    if before:
        page.set_viewport_size(before)
    return found


def faults(page: Page) -> list[str]:
    """All of this at once, so that a page is loaded once."""
    assert targets(page), "nothing to tap"
    return small_targets(page) + close_targets(page) + small_text(page) + axe(page) + misfits(page)


def _gap(one: dict[str, Any], two: dict[str, Any]) -> float:
    across = max(one["x"], two["x"]) - min(one["right"], two["right"])
    down = max(one["y"], two["y"]) - min(one["bottom"], two["bottom"])
    return max(across, down)
