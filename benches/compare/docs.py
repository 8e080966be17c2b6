"""Puts what `benches/run` has left into docs/performance.md, between `<!-- NAME -->` and `<!-- end of NAME -->`, and the plot beside it."""

import re
import shutil
from pathlib import Path

import results

DOCS = Path(__file__).parents[2] / "docs"


def main():
    page = DOCS / "performance.md"
    text = page.read_text()
    for name in re.findall(r"<!-- end of ([\w-]+) -->", text):
        tables = results.FOLDER / f"{name}.md"
        if tables.exists():
            body = f"<!-- {name} -->\n{tables.read_text().strip()}\n<!-- end of {name} -->"
            text = re.sub(rf"<!-- {name} -->\n.*?<!-- end of {name} -->", lambda _: body, text, flags=re.DOTALL)
    page.write_text(text)
    if (plot := results.FOLDER / "echo.svg").exists():
        shutil.copy(plot, DOCS / "performance.svg")


main()
