"""What is measured on any page: accessibility, the size of text and of targets, and what is in sight."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

# A choice inside its label is tapped on the label; what is drawn outside the page is not tapped at all.
_TARGETS = """
() => {
  const boxes = [];
  for (const control of document.querySelectorAll("a[href], button, summary, input:not([type=hidden]), select")) {
    const target = control.closest("label") ?? control;
    const box = target.getBoundingClientRect();
    const seen = target.checkVisibility({visibilityProperty: true, opacityProperty: true});
    if (!seen || box.width <= 1 || box.right <= 0 || box.bottom + scrollY <= 0) continue;
    const name = control.id || control.getAttribute("aria-label") || control.textContent.trim().slice(0, 40);
    const frame = control.closest(".secret, .search");
    boxes.push({name: `${control.localName} ${name}`, x: box.left, y: box.top, right: box.right,
                bottom: box.bottom, inside: frame ? [...document.querySelectorAll("*")].indexOf(frame) : -1});
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


def axe(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 A and AA; contrast is part of it."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": _TAGS}}).response
    assert found["passes"], "axe looked at nothing"
    return [
        f"{rule['id']}: {node['target']} {node.get('failureSummary', '')}"
        for rule in found["violations"] for node in rule["nodes"]
    ]  # fmt: skip


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


def content_width(page: Page) -> int:
    """How wide the page wants to be."""
    return int(page.evaluate("document.documentElement.scrollWidth"))


def _gap(one: dict[str, Any], two: dict[str, Any]) -> float:
    across = max(one["x"], two["x"]) - min(one["right"], two["right"])
    down = max(one["y"], two["y"]) - min(one["bottom"], two["bottom"])
    return max(across, down)
