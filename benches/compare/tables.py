"""Markdown from results: `tables.py EXPERIMENT...`. "Over" is the median of the ratios within each round, with the least and the greatest."""

import sys

import results

FLOOR, OURS = "raw", "martlet"


def table(first, columns, rows):
    print("| " + " | ".join([first, *columns]) + " |\n|---|" + "---:|" * len(columns))
    for name, cells in rows:
        print("| " + " | ".join([name, *cells]) + " |")
    print()


def number(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 20 else f"{value:.2f}"


def by_load(found, cell):
    return [(server, [cell(load, server) for load in found.loads]) for server in found.servers]


def over(found, metric, base):
    def cell(load, server):
        ratios = found.ratios(load, server, metric, base)
        if ratios is None:
            return "failed" if found.text(load, server, "failed") else "–"
        return "1" if server == base else "{1:.2f} ({0:.2f}–{2:.2f})".format(*ratios)

    return by_load(found, cell)


def medians(found, metric):
    return by_load(found, lambda load, server: number(found.median(load, server, metric)))


def best_peer(found, metric, least=True):
    """How ours stands to the best of the others, floors left out."""
    cells = []
    for load in found.loads:
        values = {server: found.median(load, server, metric) for server in found.servers if server not in (FLOOR, OURS)}
        values = {server: value for server, value in values.items() if value is not None}
        ours = found.median(load, OURS, metric)
        if not values or ours is None:
            cells.append("–")
            continue
        best = (min if least else max)(values, key=values.get)
        cells.append(f"{ours / values[best]:.2f} ({best})")
    return "martlet / best peer", cells


def echo(found):
    print("CPU time of the server for a message, over that of the raw echo in the same round:\n")
    table("server", found.loads, [*over(found, "cpu", FLOOR), best_peer(found, "cpu")])
    print("The same in microseconds:\n")
    table("server", found.loads, medians(found, "cpu"))
    print("Messages a second:\n")
    table("server", found.loads, [*medians(found, "rate"), best_peer(found, "rate", least=False)])


def deflated(found):
    print("CPU time of the server for a message, in microseconds:\n")
    table("server", found.loads, [*medians(found, "cpu"), best_peer(found, "cpu")])
    print("The same over ours in the same round:\n")
    table("server", found.loads, over(found, "cpu", OURS))
    print("Messages a second:\n")
    table("server", found.loads, [*medians(found, "rate"), best_peer(found, "rate", least=False)])
    print("Octets on the wire of an echo:\n")
    table("server", found.loads, medians(found, "wire"))
    print("What was agreed on:\n")
    for server in found.servers:
        agreed = dict.fromkeys(filter(None, (found.text(load, server, "agreed") for load in found.loads)))
        print(f"- {server}: " + ", ".join(f"`{parameters.replace(';', '; ')}`" for parameters in agreed))
    print()


def broadcast(found):
    print("Deliveries for a second of the server's CPU time:\n")
    rates = by_load(found, lambda load, server: number((cpu := found.median(load, server, "cpu")) and 1e6 / cpu))
    table("server", found.loads, rates)
    print("CPU time of the server for a delivery, over ours in the same round:\n")
    table("server", found.loads, [*over(found, "cpu", OURS), best_peer(found, "cpu")])


def connect(found):
    [load] = found.loads
    rows = []
    ours = dict(over(found, "cpu", "uWebSockets"))
    for server in found.servers:
        cells = [number(found.median(load, server, metric)) for metric in ("cpu", "rate")]
        rows.append((server, [*cells, *ours[server]]))
    best, [cpu] = best_peer(found, "cpu")
    _, [rate] = best_peer(found, "rate", least=False)
    rows.append((best, [cpu, rate, ""]))
    table("server", ["CPU us/connection", "connections/s", "CPU over uWebSockets"], rows)


def idle(found):
    print("Octets of private memory for each idle connection, by how many there are:\n")
    table("server", found.loads, [*medians(found, "memory"), best_peer(found, "memory")])
    print("CPU time of an echo of 20 octets on one connection among so many, in microseconds:\n")
    table("server", found.loads, medians(found, "cpu"))


def calls(found):
    table("server", found.loads, by_load(found, lambda load, server: number(found.median(load, server, "calls"))))


TITLES = {
    "echo": "Echo",
    "deflated": "Echo with permessage-deflate",
    "broadcast": "Broadcast to 1,000 receivers",
    "connect": "Connect, upgrade, close",
    "idle": "Idle connections",
    "calls": "System calls for a message",
}


def main():
    for experiment in sys.argv[1:]:
        found = results.Results(experiment)
        print(f"### {TITLES[experiment]}\n\n({found.conditions}.)\n")
        globals()[experiment](found)


main()
