"""Draws the echo results as SVG: `plot.py > FILE`. A panel for each load, a bar for each server, as long as its CPU time over the raw echo's."""

from html import escape

import results

COLUMNS, LONGEST = 2, 3.0
NAMES, BAR, FIGURES, ROW, HEAD, GAP = 118, 240, 92, 17, 30, 26
OURS, FLOOR, PEER, INK, FAINT = "#d1495b", "#9aa5b1", "#5b7c99", "#1f2933", "#d5dbe1"


def panel(found, load, x, y):
    servers = [server for server in found.servers if found.ratios(load, server, "cpu", "raw")]
    ratios = {server: found.ratios(load, server, "cpu", "raw") for server in servers}
    servers.sort(key=lambda server: (server != "raw", ratios[server][1]))
    yield f'<text x="{x}" y="{y + 14}" font-weight="bold">{escape(load)}</text>'
    left, top = x + NAMES, y + HEAD - 6
    bottom = top + ROW * len(found.servers)

    def at(ratio):
        return left + min(ratio, LONGEST) / LONGEST * BAR

    for tick in range(int(LONGEST) + 1):
        yield f'<line x1="{at(tick):.1f}" y1="{top}" x2="{at(tick):.1f}" y2="{bottom}" stroke="{FAINT}"/>'
    for row, server in enumerate(servers):
        least, median, most = ratios[server]
        middle = top + ROW * row + ROW / 2
        colour = {"martlet": OURS, "raw": FLOOR}.get(server, PEER)
        weight = ' font-weight="bold"' if server == "martlet" else ""
        yield f'<text x="{left - 6}" y="{middle + 4}" text-anchor="end"{weight}>{escape(server)}</text>'
        yield f'<rect x="{left}" y="{middle - 6}" width="{at(median) - left:.1f}" height="12" fill="{colour}"/>'
        if server != "raw":
            yield f'<line x1="{at(least):.1f}" y1="{middle}" x2="{at(most):.1f}" y2="{middle}" stroke="{INK}" stroke-width="1.5"/>'
        label = f"{median:.2f}" + (" »" if median > LONGEST else "")
        yield f'<text x="{max(at(median), at(most)) + 5:.1f}" y="{middle + 4}"{weight}>{label}</text>'


def main():
    found = results.Results("echo")
    width = NAMES + BAR + FIGURES
    height = HEAD + ROW * len(found.servers) + GAP
    rows = -(-len(found.loads) // COLUMNS)
    total = (width * COLUMNS + 2 * GAP, 64 + height * rows)
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total[0]} {total[1]}" width="{total[0]}" height="{total[1]}"')
    print(f'     font-family="Helvetica, Arial, sans-serif" font-size="11.5" fill="{INK}">')
    print(f'<rect width="{total[0]}" height="{total[1]}" fill="white"/>')
    print(f'<text x="{GAP}" y="26" font-size="16" font-weight="bold">CPU time of an echo server for a message, over a raw TCP echo</text>')
    print(f'<text x="{GAP}" y="44" font-size="10.5">Shorter is better. Bars are medians, lines go from the least to the greatest round; {escape(found.conditions)}.</text>')
    for index, load in enumerate(found.loads):
        x, y = GAP + index % COLUMNS * width, 60 + index // COLUMNS * height
        print("\n".join(panel(found, load, x, y)))
    print("</svg>")


main()
