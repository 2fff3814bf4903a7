# SPDX-License-Identifier: MIT
"""Learning curves of several programs: left by environment steps, right by seconds of training; a row a task."""

import os

import numpy as np

import measures

COLOURS = ("0072B2", "56B4E9", "D55E00", "009E73", "CC79A7", "E69F00")  # Okabe and Ito's
DASHES = ("solid", "(12,4,3,4)", "(12,5)", "(4,4)", "(2,2)", "(16,4)")
ROW_INCHES, WIDTH_INCHES = 1.65, 6.75
TERMINALS = {  # letters of 8 pt at the size in inches
    "svg": lambda w, h: f"svg size {72 * w:.0f},{72 * h:.0f} dynamic font 'DejaVu Sans,8'",
    "pdf": lambda w, h: f"pdfcairo size {w}in,{h}in font 'DejaVu Sans,8'",
    "png": lambda w, h: f"pngcairo size {150 * w:.0f},{150 * h:.0f} fontscale 2.08 font 'DejaVu Sans,8'"}
FIRST_SECONDS = 0.05  # where the axis of seconds begins: it is logarithmic


def curve(runs):
    """(steps, IQM, low, high) over all runs at the steps that every run was evaluated at."""
    steps = runs[0].eval_steps
    for run in runs[1:]:
        steps = np.intersect1d(steps, run.eval_steps)
    heights = np.array([run.eval_means[np.searchsorted(run.eval_steps, steps)] for run in runs])
    return (steps, *measures.band(heights))


def write_data(out, task, number, runs, speed):
    """step, seconds, IQM, low, high; returns the file's name."""
    name = f"{task}.{number}.tsv"
    with open(os.path.join(out, name), "w", encoding="ascii", newline="\n") as file:
        file.write("step\tseconds\tiqm\tlow\thigh\n")
        for step, *heights in zip(*curve(runs)):
            file.write("\t".join(f"{value:.17g}" for value in (step, step / speed, *heights)) + "\n")
    return name


def panel(files, column, programs):
    """The plot command of one panel: a band and a line for each program of `files`, {number: data file}."""
    x = "($1/1000)" if column == 1 else f"($2>0?$2:{FIRST_SECONDS})"
    bands, lines = [], []
    for i, name in files.items():
        bands.append(f"'{name}' using {x}:4:5 with filledcurves lc rgb '#{COLOURS[i]}' fs transparent solid 0.18 noborder"
                     " notitle")
        lines.append(f"'{name}' using {x}:3 with lines lw 2 lc rgb '#{COLOURS[i]}' dt {DASHES[i]} title"
                     f" '{programs[i].name}'")
    return "plot " + ", \\\n     ".join(bands + lines)


def write(out, tasks, programs, speeds):
    """Writes data files and curves.gp into the folder; returns the script's path. Without any speed there is one panel
    a task."""
    right = 0.53 if any(np.isfinite(speed) for speed in speeds.values()) else 0.97
    height = ROW_INCHES * len(tasks) + 0.4
    script = ["# SPDX-License-Identifier: " + "MIT", "set datafile separator tab", "set datafile missing 'nan'",
              "set tics nomirror out scale 0.5", "set border 3", "set grid lc rgb '#dddddd'", "set key off",
              "set ytics autofreq offset 0.5", "set xtics offset 0,0.4"]
    panels = []
    for row, task in enumerate(tasks):
        files = {i: write_data(out, task, i, program.runs[task], speeds[task, program.name])
                 for i, program in enumerate(programs) if program.runs[task]}
        top, bottom = 1 - (0.25 + ROW_INCHES * row) / height, 1 - (ROW_INCHES * (row + 1) - 0.22) / height
        # a program without a measured speed has no curve by the clock
        timed = {i: name for i, name in files.items() if np.isfinite(speeds[task, programs[i].name])}
        last = row == len(tasks) - 1
        panels += [f"set tmargin at screen {top:.4f}; set bmargin at screen {bottom:.4f}",
                   f"set lmargin at screen 0.12; set rmargin at screen {right}", "unset logscale x", "set format y '%g'",
                   f"set title '{task}' offset 0,-0.7", "set ylabel 'return' offset 1",
                   "set xlabel '1000 environment steps' offset 0,0.6" if last else "set xlabel",
                   f"set xrange [0:{tasks[task][0] / 1000}]", "set key off", "set key right bottom samplen 2" if row == 0
                   else "", panel(files, 1, programs)]
        if timed:
            panels += ["set lmargin at screen 0.56; set rmargin at screen 0.97", "set logscale x", "set ylabel",
                       "set key off", "set format y ''", f"set title '{task}'", f"set xrange [{FIRST_SECONDS}:*]",
                       "set xlabel 'seconds of training, one core' offset 0,0.6" if last else "set xlabel",
                       panel(timed, 2, programs)]
    for terminal in TERMINALS:
        script += [f"set terminal {TERMINALS[terminal](WIDTH_INCHES, height)}", f"set output 'curves.{terminal}'",
                   "set multiplot", *panels, "unset multiplot", "set output"]
    path = os.path.join(out, "curves.gp")
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(line for line in script if line) + "\n")
    return path
