"""The plots of the report, drawn by gnuplot."""
import os
import re
import subprocess

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#555555"]    # can be told apart also by the colour-blind
SVG = "set terminal svg size {w},{h} dynamic background '#ffffff' font 'sans-serif,13'\n"


def _gnuplot(script, name):
    """Draws into the file and returns its text from <svg on, as it stands in a page."""
    subprocess.run(["gnuplot"], input=f"{script}", text=True, check=True)
    with open(name) as file:
        text = file.read()
    # Ids count in the page, not in the drawing.
    prefix = re.sub(r"\W", "", os.path.basename(name))
    text = re.sub(r'\bid=([\'"])', rf"id=\1{prefix}", text)
    text = re.sub(r'(href=[\'"]#|url\(#)', rf"\1{prefix}", text)
    return text[text.index("<svg"):]


def _data(name, points):
    return f"${name} << END\n" + "".join(" ".join(f"{v:.6g}" for v in p) + "\n" for p in points) + "END\n"


def _bars(series, style, key="title"):
    """plot clauses with error bars for [(data name, title, colour)]."""
    return ", ".join(f"${name} using 1:2:3:4 {style} lc rgb '{colour}' lw 1.5 pt {7 + 2 * i} ps .8 {key} '{title}'"
                     for i, (name, title, colour) in enumerate(series))


def _selected(rows, **wanted):
    return [r for r in rows if all(r[k] == v for k, v in wanted.items())]


def _ratio(r, x):
    return x, r["ratio"], r["ratio_min"], r["ratio_max"]


def _grid(rows, peer, name):
    """One panel for each path: losses across, a mark with its interval for each direction."""
    paths = list(dict.fromkeys(r["path"] for r in rows))
    losses = sorted({r["x"] for r in rows}, key=float)
    top = min(2.5, max(1.3, max(r["ratio_max"] for r in rows) * 1.05))
    script = SVG.format(w=980, h=400) + f"set output '{name}'\nset multiplot layout 1,{len(paths)}\n"
    script += "set key bottom left reverse Left\nset grid ytics lc rgb '#dddddd'\nset xlabel 'frames lost, %'\n"
    script += f"set ylabel 'goodput: Trickles / {peer}'\nset yrange [0:{top:.3g}]\nset xrange [-.6:{len(losses) - .4}]\n"
    script += "set xtics (" + ", ".join(f"'{loss}' {i}" for i, loss in enumerate(losses)) + ")\n"
    for panel, path in enumerate(paths):
        series = []
        for i, direction in enumerate(["answers", "requests", "both", "no loss"]):
            points = [_ratio(r, losses.index(r["x"]) + (i - 1) * .16 * (i < 3)) for r in _selected(rows, path=path, series=direction)]
            if points:
                series.append((f"p{panel}_{i}", direction, COLOURS[i]))
                script += _data(series[-1][0], points)
        script += f"set title '{path}'\nplot 1 lc rgb '#888888' notitle, .95 lc rgb '#888888' dt 3 notitle, "
        script += _bars(series, "with yerrorbars") + "\n"
    return _gnuplot(script + "unset multiplot\n", name)


def _background(rows, name):
    """Left: relative to a TCP flow in the same place. Right: what each got."""
    peers = list(dict.fromkeys(r["series"] for r in rows))
    top = max(1.5, min(3, max(r["ratio_max"] for r in rows) * 1.05))
    script = SVG.format(w=980, h=400) + f"set output '{name}'\nset multiplot layout 1,2\nset grid ytics lc rgb '#dddddd'\n"
    script += "set xlabel 'background TCP flows'\nset xrange [-.5:10.5]\nset key bottom left reverse Left\n"
    for i, tcp in enumerate(peers):
        part = _selected(rows, series=tcp)
        script += _data(f"r{i}", [_ratio(r, int(r["x"])) for r in part])
        script += _data(f"a{i}", [(int(r["x"]), r["trickles"], r["peer"]) for r in part])
    script += f"set title 'foreground Trickles / foreground TCP'\nset ylabel 'ratio of goodput'\nset yrange [0:{top:.3g}]\n"
    script += "plot 1 lc rgb '#888888' notitle, "
    script += _bars([(f"r{i}", f"among {tcp}", COLOURS[i]) for i, tcp in enumerate(peers)], "with yerrorlines") + "\n"
    script += "set title 'foreground flow'\nset ylabel 'goodput, Mbit/s'\nset yrange [0.5:*]\nset logscale y\nset key top right\nplot "
    script += ", ".join(f"$a{i} using 1:2 with linespoints pt 7 ps .7 lc rgb '{COLOURS[i]}' title 'Trickles among {tcp}', "
                        f"$a{i} using 1:3 with linespoints pt 6 ps .7 dt 2 lc rgb '{COLOURS[i]}' title '{tcp} among {tcp}'"
                        for i, tcp in enumerate(peers)) + "\n"
    return _gnuplot(script + "unset multiplot\n", name)


def _fairness(rows, name):
    peers = list(dict.fromkeys(r["series"] for r in rows))
    counts = sorted({r["x"] for r in rows}, key=int)
    script = SVG.format(w=640, h=380) + f"set output '{name}'\nset grid ytics lc rgb '#dddddd'\nset yrange [0:100]\n"
    script += f"set xrange [-.6:{len(counts) - .4}]\nset xlabel 'flows of each'\nset ylabel 'share of Trickles, %'\nset key bottom left reverse Left\n"
    script += "set xtics (" + ", ".join(f"'{n}' {i}" for i, n in enumerate(counts)) + ")\n"
    script += "set object 1 rectangle from graph 0, first 40 to graph 1, first 60 behind fc rgb '#eef4ee' fs solid noborder\n"
    for i, tcp in enumerate(peers):
        part = _selected(rows, series=tcp, metric="goodput")
        share = [(counts.index(r["x"]) + (i - .5) * .14, *(100 * q / (1 + q) for q in (r["ratio"], r["ratio_min"], r["ratio_max"]))) for r in part]
        script += _data(f"s{i}", share)
    script += "plot 50 lc rgb '#888888' notitle, "
    script += _bars([(f"s{i}", f"beside {tcp}", COLOURS[i]) for i, tcp in enumerate(peers)], "with yerrorbars") + "\n"
    return _gnuplot(script, name)


def _bars_by_case(rows, name):
    """Ratios of goodput, a cluster for each case, a colour for each peer."""
    cases, peers = list(dict.fromkeys(r["case"] for r in rows)), list(dict.fromkeys(r["peer_name"] for r in rows))
    script = SVG.format(w=980, h=400) + f"set output '{name}'\nset grid ytics lc rgb '#dddddd'\nset logscale y\nset key top right\n"
    script += f"set ylabel 'goodput: Trickles / peer'\nset xrange [-.6:{len(cases) - .4}]\nset yrange [.1:*]\n"
    script += "set xtics (" + ", ".join('"' + case.replace(": ", r"\n") + f'" {i}' for i, case in enumerate(cases)) + ")\n"
    series = []
    for i, peer in enumerate(peers):
        points = [_ratio(r, cases.index(r["case"]) + (i - 1) * .16) for r in _selected(rows, peer_name=peer)]
        series.append((f"b{i}", peer, COLOURS[i]))
        script += _data(f"b{i}", points)
    return _gnuplot(script + "plot 1 lc rgb '#888888' notitle, " + _bars(series, "with yerrorbars") + "\n", name)


def _by_x(rows, name, label, by):
    """Ratio over x on a logarithmic axis, a line for each `by`."""
    lines = list(dict.fromkeys(r[by] for r in rows))
    script = SVG.format(w=760, h=400) + f"set output '{name}'\nset grid ytics lc rgb '#dddddd'\nset logscale x\nset key top right\n"
    script += f"set xlabel '{label}'\nset ylabel 'Trickles / kernel TCP'\nset yrange [0:*]\n"
    for i, line in enumerate(lines):
        script += _data(f"l{i}", [_ratio(r, float(r["x"])) for r in _selected(rows, **{by: line})])
    series = [(f"l{i}", line, COLOURS[i]) for i, line in enumerate(lines)]
    return _gnuplot(script + "plot 1 lc rgb '#888888' notitle, " + _bars(series, "with yerrorlines") + "\n", name)


def draw(rows, directory):
    """{figure: [svg text]}; the drawings are also left in the directory."""
    drawn = {}
    first = {r["figure"]: r["metric"] for r in reversed(rows)}         # goodput or answers
    for figure, draws in (("bulk", _bars_by_case), ("clients", lambda part, name: _by_x(part, name, "clients", "path")),
                          ("small", lambda part, name: _by_x(part, name, "bytes of an object", "path")),
                          ("requests", lambda part, name: _by_x(part, name, "connections", "series"))):
        part = _selected(rows, figure=figure, metric=first.get(figure))
        if part:
            drawn[figure] = [draws(part, os.path.join(directory, figure + ".svg"))]
    grid = _selected(rows, figure="grid")
    for peer in dict.fromkeys(r["peer_name"] for r in grid):
        svg = _grid(_selected(grid, peer_name=peer), peer, os.path.join(directory, f"grid-{peer}.svg"))
        drawn.setdefault("grid", []).append(svg)
    for figure, draws in (("background", _background), ("fairness", _fairness)):
        part = _selected(rows, figure=figure)
        if part:
            drawn[figure] = [draws(part, os.path.join(directory, figure + ".svg"))]
    return drawn
