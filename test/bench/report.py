"""report.py DIR: from DIR/records/*.csv to results.csv, results.md, the plots and report.html in DIR.

Exits with 1 if a transfer on record failed or had wrong bytes, 2 if a record cannot be read."""
import collections
import csv
import html
import os
import platform
import sys

import plots
import ratio

FIGURES = ["bulk", "clients", "small", "requests", "workers", "grid", "background", "fairness"]
COSTS = "server_cpu client_cpu server_frames client_frames server_kb".split()          # empty where nobody measured them
FIELDS = "figure path series x stack flow round bytes seconds load missed late_us".split() + COSTS + ["problem"]
COLUMNS = "figure case metric unit trickles peer_name peer ratio ratio_min ratio_max runs".split()
MBIT = 8 / 1e6

TITLES = {
    "bulk": "Bulk download without a bottleneck: goodput, CPU seconds per GB and frames per second of each side",
    "clients": "Many clients at a bottleneck, 500 kB objects, a new connection each (the paper's Figures 9, 11, 12)",
    "small": "Small objects, one client, a new connection each (the paper's Figure 10)",
    "requests": "Requests of 1 kB per second, one server process",
    "workers": "Two workers beside one, where the application spends 20 us on a request (answers of 1 kB)",
    "grid": "Goodput beside kernel TCP over lossy paths",
    "background": "A foreground flow among background TCP flows (the paper's Figure 13)",
    "fairness": "n flows of Trickles beside n flows of TCP",
}
CLIENTS = {"curl": "curl", "engine": "a client on the engine"}
PEERS = {"reno-plain": "reno without TSO/GRO", "quic": "QUIC (ngtcp2)", "one-worker": "one worker"}
# series and x in words: the case
CASES = {
    "bulk": lambda path, series, x: f"{path}: {CLIENTS[series]}",
    "clients": lambda path, series, x: f"{path}: {x} clients",
    "small": lambda path, series, x: f"{path}: {x} bytes",
    "requests": lambda path, series, x: f"{x} connections, {series}",
    "workers": lambda path, series, x: "a single flow" if x == "1" else f"{x} flows",
    "grid": lambda path, series, x: f"{path}: no loss" if series == "no loss" else f"{path}: {series} {x} %",
    "background": lambda path, series, x: f"{path}: {x} background flows of {series}",
    "fairness": lambda path, series, x: f"{path}: {x} beside {x} of {series}",
}


class Row(dict):
    """One line of the results, with what the plots need beside it: path, series, x."""


def read_records(directory):
    records = []
    for figure in FIGURES:
        name = os.path.join(directory, "records", figure + ".csv")
        if not os.path.exists(name):
            continue
        with open(name, newline="") as lines:
            for number, line in enumerate(csv.reader(lines), 1):
                if len(line) == len(FIELDS) - len(COSTS):      # before costs were recorded
                    line[-1:-1] = [""] * len(COSTS)
                if len(line) != len(FIELDS) or line[0] != figure:
                    sys.exit(f"report.py: {name}: line {number} is no record")
                r = dict(zip(FIELDS, line))
                for field in ("round", "bytes", "missed"):
                    r[field] = int(r[field])
                for field in ("seconds", "load", "late_us"):
                    r[field] = float(r[field])
                for field in COSTS:
                    r[field] = float(r[field]) if r[field] else None
                records.append(r)
    return records


def cells(records):
    """The records of each cell, in the order of measuring: {(figure, path, series, x): {stack: {round: [record]}}}.
    A round in which anything went wrong is left out: it is reported, but measures nothing."""
    bad = {(r["figure"], r["path"], r["series"], r["x"], r["round"]) for r in records if r["problem"]}
    found = {}
    for r in records:
        key = (r["figure"], r["path"], r["series"], r["x"])
        if key + (r["round"],) in bad:
            continue
        stacks = found.setdefault(key, {})
        stacks.setdefault(r["stack"], collections.defaultdict(list))[r["round"]].append(r)
    return found


def row(key, metric, unit, peer, ours, theirs, scale):
    figure, path, series, x = key
    value, low, high = ratio.ratio(ours, theirs)
    return Row(figure=figure, case=CASES[figure](path, series, x), metric=metric, unit=unit, trickles=ratio.rate(ours) * scale,
               peer_name=PEERS.get(peer, peer), peer=ratio.rate(theirs) * scale, ratio=value, ratio_min=low, ratio_max=high, runs=len(ours),
               path=path, series=series, x=x)


# What a figure's records say: (metric, unit, amount, of what, scale); the rate is all amounts over all of the other.
GOODPUT = ("goodput", "Mbit/s", "bytes", "seconds", MBIT)
ANSWERS = ("answers", "1/s", "bytes", "seconds", 1)
SERVER_CPU = ("server CPU", "s/GB", "server_cpu", "bytes", 1e9)
CLIENT_CPU = ("client CPU", "s/GB", "client_cpu", "bytes", 1e9)
METRICS = {
    "bulk": [GOODPUT, SERVER_CPU, CLIENT_CPU, ("server frames", "1/s", "server_frames", "seconds", 1), ("client frames", "1/s", "client_frames", "seconds", 1)],
    "clients": [GOODPUT, SERVER_CPU, ("server memory", "kB", "server_kb", None, 1)],
    "small": [ANSWERS],
    "requests": [ANSWERS, ("server CPU", "us each", "server_cpu", "bytes", 1e6)],
    "workers": [ANSWERS, ("server CPU", "us each", "server_cpu", "bytes", 1e6), ("generator", "cores", "client_cpu", "seconds", 1)],
}


def metric_rows(key, stacks, peer, rounds):
    for metric, unit, amount, over, scale in METRICS[key[0]]:
        turns = {stack: [(r[amount], r[over] if over else 1) for n in rounds for r in stacks[stack][n]] for stack in ("trickles", peer)}
        if all(a is not None and a > 0 and o for side in turns.values() for a, o in side):
            yield row(key, metric, unit, peer, turns["trickles"], turns[peer], scale)


def cell_rows(key, stacks):
    for peer in stacks:
        rounds = sorted(set(stacks.get("trickles", {})) & set(stacks[peer]))
        if peer == "trickles" or not rounds:
            continue
        if key[0] in METRICS:
            yield from metric_rows(key, stacks, peer, rounds)
            continue

        def turns(stack):                # all flows of a stack together
            return [(sum(r["bytes"] for r in stacks[stack][n]), stacks[stack][n][0]["seconds"]) for n in rounds]

        def fair(stack):
            return [(ratio.jain([r["bytes"] for r in stacks[stack][n]]), 1) for n in rounds]
        goodput = row(key, "goodput", "Mbit/s", peer, turns("trickles"), turns(peer), MBIT)
        yield goodput
        if key[0] == "fairness":
            yield share_of(goodput)
            if len(stacks[peer][rounds[0]]) > 1:
                yield row(key, "Jain's index", "1", peer, fair("trickles"), fair(peer), 1)


def share_of(goodput):
    total = goodput["trickles"] + goodput["peer"]
    share = Row(goodput, metric="share", unit="%")
    share.update(trickles=100 * goodput["trickles"] / total, peer=100 * goodput["peer"] / total)
    return share


def shown(value):
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def conditions(records):
    """What a reader has to know about the machine, as sentences."""
    loads = sorted(r["load"] for r in records)
    late = sorted(r["late_us"] for r in records)
    missed = sum(1 for r in records if r["missed"])
    problems = [r for r in records if r["problem"]]
    yield (f"Linux {platform.release()}, {os.cpu_count()} cores; load average {loads[0]:.1f} to {loads[-1]:.1f}, "
           f"median {loads[len(loads) // 2]:.1f}.")
    yield (f"The emulator's latest frame of a transfer: median {late[len(late) // 2] / 1000:.2f} ms, worst {late[-1] / 1000:.1f} ms late; "
           f"{missed} of {len(records)} transfers met frames that it lost for want of CPU.")
    yield (f"The ratio is Trickles / peer of all bytes over all time; ratio_min to ratio_max is its 95 % confidence interval "
           f"from {ratio.ROUNDS_FOR_CONFIDENCE} runs on, with fewer the worst and the best single run.")
    yield f"{len(records)} transfers on record, {len(problems)} of them failed."
    for r in problems:
        yield f"Failed: {r['stack']}, {r['figure']}, {CASES[r['figure']](r['path'], r['series'], r['x'])}, round {r['round']}: {r['problem']}."


def write_csv(rows, name):
    with open(name, "w", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for r in rows:
            writer.writerow({c: shown(r[c]) for c in COLUMNS})


def write_markdown(rows, sentences, name):
    with open(name, "w") as out:
        out.write("# Trickles beside kernel TCP\n\n" + "\n".join("- " + s for s in sentences) + "\n\n")
        out.write("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS) + "\n")
        for r in rows:
            out.write("| " + " | ".join(shown(r[c]) for c in COLUMNS) + " |\n")


STYLE = ("body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}table{border-collapse:collapse;font-size:13px}"
         "td,th{padding:.15em .6em;border-bottom:1px solid #ddd;text-align:left}td.n{text-align:right;font-variant-numeric:tabular-nums}"
         "svg{max-width:100%;height:auto}")


def html_table(rows):
    head = "".join(f"<th>{c}</th>" for c in COLUMNS)
    body = ""
    for r in rows:
        tds = (f'<td class="n">{shown(r[c])}</td>' if isinstance(r[c], (int, float)) else f"<td>{html.escape(r[c])}</td>" for c in COLUMNS)
        body += "<tr>" + "".join(tds) + "</tr>\n"
    return f"<table><tr>{head}</tr>\n{body}</table>\n"


def write_html(rows, sentences, drawn, name):
    with open(name, "w") as out:
        out.write('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Trickles beside kernel TCP</title>'
                  f"<style>{STYLE}</style></head><body>\n<h1>Trickles beside kernel TCP</h1>\n<ul>\n")
        out.write("".join(f"<li>{html.escape(s)}</li>\n" for s in sentences) + "</ul>\n")
        for figure in FIGURES:
            part = [r for r in rows if r["figure"] == figure]
            if not part:
                continue
            out.write(f"<h2>{html.escape(TITLES[figure])}</h2>\n")
            out.write("".join(f"<p>{svg}</p>\n" for svg in drawn.get(figure, [])) + html_table(part))
        out.write("</body></html>\n")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    directory = sys.argv[1]
    records = read_records(directory)
    if not records:
        sys.exit(f"report.py: no records in {directory}/records")
    rows = [r for key, stacks in cells(records).items() for r in cell_rows(key, stacks)]
    sentences = list(conditions(records))
    write_csv(rows, os.path.join(directory, "results.csv"))
    write_markdown(rows, sentences, os.path.join(directory, "results.md"))
    write_html(rows, sentences, plots.draw(rows, directory), os.path.join(directory, "report.html"))
    for r in rows:
        if r["metric"] in ("goodput", "answers") or r["figure"] == "bulk" and "CPU" in r["metric"]:
            print(f"{r['case']:<44} {r['trickles']:9.6g} {r['peer_name']:>20} {r['peer']:9.6g} {r['unit']:<6} ratio {r['ratio']:5.2f} "
                  f"({r['ratio_min']:.2f} - {r['ratio_max']:.2f})")
    print("\n".join(sentences))
    sys.exit(1 if any(r["problem"] for r in records) else 0)


if __name__ == "__main__":
    main()
