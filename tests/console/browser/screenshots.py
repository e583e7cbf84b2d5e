"""Pictures of each screen for the documentation: ``python -m tests.console.browser.screenshots [NAME ...]``.

They are written into docs/console/.  Each is light and 1280 pixels wide; some are dark too, or as narrow as a
telephone.
"""

from __future__ import annotations

import json
import struct
import sys
import tempfile
import zlib
from base64 import b64decode, b64encode
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.console.browser.site import chromium, sites

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.console.browser.site import Site

__all__ = ["main"]

FOLDER: Final = Path(__file__).parents[3] / "docs" / "console"
WIDE: Final = (1280, 800)
NARROW: Final = (390, 780)


PIXELS: Final = """async (text) => {
    const image = await createImageBitmap(new Blob([Uint8Array.from(atob(text), (one) => one.charCodeAt(0))]));
    const canvas = new OffscreenCanvas(image.width, image.height), context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    return new Promise((done) => {
        const reader = new FileReader();
        reader.onload = () => done(reader.result);
        reader.readAsDataURL(new Blob([data]));
    });
}"""


class Shot(NamedTuple):
    """``act`` is done on the page before the picture is taken."""

    name: str
    address: str
    act: Callable[[Any], None] | None = None
    dark: bool = False
    narrow: bool = False


def _shots(site: Site) -> list[Shot]:
    def run(machine: str, name: str, query: str = "") -> str:
        return site.page("run", site.machines[machine].replace("stateMachine", "execution") + f":{name}", query)

    def press(name: str) -> Callable[[Any], None]:
        return lambda page: page.get_by_role("button", name=name).first.click()

    def break_it(page: Any) -> None:
        box = page.get_by_role("textbox", name="Definition")
        box.fill(box.input_value().replace('"Next": "CheckInventory"', '"Next": "CheckInventorry"', 1))
        page.locator(".diagnostics .error").first.wait_for()
        box.evaluate("box => { box.scrollTop = 0; box.blur(); }")

    def iteration(page: Any) -> None:
        page.get_by_label("Go to").fill("25")
        page.get_by_label("Go to").press("Enter")
        page.locator(".card").wait_for()
        page.get_by_role("heading", name="iterations").scroll_into_view_if_needed()

    def try_it(page: Any) -> None:
        page.get_by_role("button", name="Test the state").click()
        page.get_by_role("group", name="Output of the state").scroll_into_view_if_needed()

    def arn(machine: str, name: str) -> str:
        return site.machines[machine].replace("stateMachine", "execution") + f":{name}"

    both = f"?one={arn('order', 'monday-1')}&other={arn('order', 'tuesday-2')}"
    return [
        Shot("runs", site.page("runs"), dark=True, narrow=True),
        Shot("start", site.page("runs", query=f"?machine={site.machines['order']}"), press("Start a run…")),
        Shot("run", run("order", "tuesday-2", "?state=ProcessPayment"), dark=True, narrow=True),
        Shot("failed", run("delivery", "parcel-7")),
        Shot("timeline", run("order", "monday-2", "?tab=timeline&state=ProcessPayment"), dark=True),
        Shot("events", run("order", "monday-2", "?tab=events&event=13")),
        Shot("map", run("thumbnails", "album", "?state=Each"), iteration),
        Shot("scrubbed", run("order", "tuesday-2", "?at=12")),
        Shot("machine", site.page("machine", site.machines["order"]), break_it, dark=True, narrow=True),
        Shot(
            "test",
            site.page(
                "machine", site.machines["pricing"], f"?tab=test&state=Quote&run={arn('pricing', 'chairs')}"
            ),
            try_it,
        ),
        Shot("inbox", site.page("inbox"), press("Answer…"), dark=True, narrow=True),
        Shot("compare", site.page("compare", query=both)),
        Shot("machines", site.page("machines")),
    ]


def _fill(site: Site) -> None:
    runs = [
        ("monday-1", "happy"),
        ("monday-2", "payment-retry"),
        ("tuesday-1", "out-of-stock"),
        ("tuesday-2", "payment-declined"),
        ("tuesday-3", "invalid"),
    ]
    for name, sample in runs:
        site.begin("order", site.sample(sample), name)
    site.begin("thumbnails", '{"pictures": 120}', "album")
    site.begin("pricing", '{"amount": 1200}', "chairs")
    site.begin("pricing", '{"amount": "many"}', "tables")
    site.begin("approval", '{"request": "a new chair", "amount": 240}', "chair")
    site.begin("stock", '{"shelf": 7}', "shelf-7")
    site.begin("delivery", json.dumps({"street": "12 Elm Street", "door": "shut"}), "parcel-7")


def main() -> None:
    """Take them all.  Without a Chromium, say so and do nothing."""
    path = chromium()
    if path is None:
        sys.exit("there is no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        sites(Path(folder), "--time", "scale=0.05") as site,
        sync_playwright() as playwright,
    ):
        _fill(site)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for shot in (one for one in _shots(site) if not sys.argv[1:] or one.name in sys.argv[1:]):
            _take(browser, shot, shot.name, WIDE, "light")
            if shot.dark:
                _take(browser, shot, f"{shot.name}-dark", WIDE, "dark")
            if shot.narrow:
                _take(browser, shot, f"{shot.name}-narrow", NARROW, "light")
        browser.close()


def _take(browser: Any, shot: Shot, name: str, size: tuple[int, int], scheme: str) -> None:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(shot.address)
    page.get_by_text("live", exact=True).wait_for()
    page.locator(".loading").first.wait_for(state="detached")
    if shot.act:
        shot.act(page)
    page.wait_for_timeout(500)
    picture = _fewer_colours(page.screenshot(), *size, context.new_page())
    (FOLDER / f"{name}.png").write_bytes(picture)
    sys.stdout.write(f"docs/console/{name}.png {len(picture):,} bytes\n")
    context.close()


def _fewer_colours(picture: bytes, width: int, height: int, page: Any) -> bytes:
    """The same as a PNG with a palette, which is a third as large; a browser takes the pixels out of it."""
    text = page.evaluate(PIXELS, b64encode(picture).decode())
    pixels = memoryview(b64decode(text.partition(",")[2])).cast("I")
    counts = Counter(pixels)
    first: dict[int, int] = {}  # of each kind of colour the most frequent one stays, then those that are frequent
    for colour, _ in counts.most_common():
        first.setdefault(colour & 0xC0C0C0, colour)
    kept = [*dict.fromkeys([*first.values(), *(colour for colour, _ in counts.most_common(256))])][:256]
    numbers = {colour: number for number, colour in enumerate(kept)}
    near: dict[int, int] = {}  # by the five upper bits of each part: many colours, few that are looked up
    for colour in counts:
        if colour not in numbers:
            coarse = colour & 0xF8F8F8
            if coarse not in near:
                near[coarse] = min(range(len(kept)), key=lambda number: _distance(kept[number], colour))
            numbers[colour] = near[coarse]
    rows = bytes(map(numbers.__getitem__, pixels))
    data = b"".join(b"\0" + rows[at : at + width] for at in range(0, width * height, width))
    palette = b"".join(struct.pack("<I", colour)[:3] for colour in kept)
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette),
        (b"IDAT", zlib.compress(data, 9)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts
    )


def _distance(one: int, other: int) -> int:
    return sum(((one >> shift & 0xFF) - (other >> shift & 0xFF)) ** 2 for shift in (0, 8, 16))


if __name__ == "__main__":
    main()
