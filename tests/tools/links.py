# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check that every link of the built pages leads somewhere: to a page, a place in it, or a file of this repository.

Links to other sites are not followed.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
OURS = re.compile(r"https://github\.com/graphops/graphops\.intune/(?:blob|edit|tree)/main/([^#?]*)")


class Page(HTMLParser):
    """The links of a page, and the places in it that a link can lead to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where this tag links to, and what it is called."""
        for name, value in attrs:
            if name in {"href", "src"} and value:
                self.links.append(value)
            elif name == "id" and value:
                self.places.add(value)


def broken(folder: Path) -> list[str]:
    """Return one line for each link in the pages of this folder that leads nowhere."""
    pages = {path: Page(path) for path in sorted(folder.resolve().rglob("*.html"))}
    if not pages:
        return [f"{folder} has no pages."]
    return [
        f"{path.relative_to(folder.resolve())}: {link} leads nowhere."
        for path, page in pages.items()
        for link in dict.fromkeys(page.links)
        if not leads_somewhere(path, link, pages)
    ]


def leads_somewhere(path: Path, link: str, pages: dict[Path, Page]) -> bool:
    """Tell whether what this link of the page at ``path`` names is there."""
    own = OURS.match(link)
    if own:
        return (ROOT / own[1]).exists()
    url = urlsplit(link)
    if url.scheme or url.netloc:
        return True
    target = (path.parent / unquote(url.path)).resolve() if url.path else path
    if not url.fragment or target not in pages:
        return target.is_file() and not url.fragment
    # As browsers do: as it is, and then decoded.
    return bool({url.fragment, unquote(url.fragment)} & pages[target].places)


def main() -> int:
    """Check the pages in the folder given."""
    lines = broken(Path(sys.argv[1]))
    print(*lines, sep="\n", end="\n" if lines else "")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main())
