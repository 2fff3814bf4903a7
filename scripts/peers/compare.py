# SPDX-License-Identifier: MIT
"""Compares programs run by run: reads results folders in the layout of docs/results.md, writes tables and a figure.

  compare.py --out DIR --program NAME=FOLDER:ALGORITHM... [--timing NAME=FOLDER:ALGORITHM...] [--page docs/peers.md]
             [--domain mujoco]

The first program is the one that the others are compared with. FOLDER is a results folder, the newest that matches
when it is a pattern; ALGORITHM is the name of the runs' folders in it, a pattern too. What the columns mean:
docs/peers.md, docs/peers-mujoco.md.
"""

import argparse
import csv
import glob
import os
import subprocess
import sys

import numpy as np

import figure
import measures

# by domain and task: environment steps, threshold of a mean return of 20 training episodes (None: no such column)
DOMAINS = {
    "classic": {"CartPole-v1": (100_000, 475), "Acrobot-v1": (100_000, -100), "MountainCar-v0": (100_000, -110),
                "Pendulum-v1": (100_000, -200), "MountainCarContinuous-v0": (50_000, 90)},
    "mujoco": {task: (1_000_000, None) for task in ("Hopper-v5", "Walker2d-v5", "HalfCheetah-v5", "Ant-v5",
                                                    "Swimmer-v5")}}
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


def read_csv(path):
    with open(path, newline="", encoding="ascii") as file:
        return list(csv.DictReader(file))


class Run:
    """One complete run: its evaluations, seconds of training and, where they were kept, training episodes."""

    def __init__(self, folder):
        evals = read_csv(os.path.join(folder, "evals.csv"))
        steps = np.array([int(row["step"]) for row in evals])
        returns = np.array([float(row["return"]) for row in evals])
        self.eval_steps = np.unique(steps)
        self.eval_means = np.array([returns[steps == step].mean() for step in self.eval_steps])
        self.final = self.eval_means[-1]
        path = os.path.join(folder, "episodes.csv")
        episodes = read_csv(path) if os.path.exists(path) else []
        self.episode_steps = np.array([int(row["step"]) for row in episodes])
        self.episode_returns = np.array([float(row["return"]) for row in episodes])
        timing = read_csv(os.path.join(folder, "timing.csv"))
        parts = [[float(row[name]) for name in ("sample_s", "advantage_s", "update_s", "critic_s")] for row in timing]
        self.speed = int(timing[-1]["step"]) / np.nansum(parts)  # steps/s of training alone


class Program:
    """The runs of one program: name, and Run objects by task. Runs that began and have no run.json are counted."""

    def __init__(self, text, domain="classic"):
        self.tasks = DOMAINS[domain]
        self.name, place = text.split("=", 1)
        pattern, self.algorithm = place.rsplit(":", 1)
        folders = sorted(glob.glob(pattern), key=os.path.getmtime)
        if not folders:
            raise SystemExit(f"compare.py: no results folder matches {pattern}")
        self.runs, self.incomplete = {}, {}
        for task in self.tasks:
            runs = sorted(glob.glob(os.path.join(folders[-1], "runs", f"{domain}__{task}", "*", self.algorithm, "s*")))
            done = [run for run in runs if os.path.exists(os.path.join(run, "run.json"))]
            self.runs[task] = [Run(run) for run in done]
            self.incomplete[task] = len(runs) - len(done)

    def finals(self, task):
        return np.array([run.final for run in self.runs[task]])

    def areas(self, task):
        """By steps: mean height of each run's evaluation curve over the task's budget."""
        return np.array([measures.area(run.eval_steps, run.eval_means, self.tasks[task][0])
                         for run in self.runs[task]])

    def areas_by_time(self, task, speed, seconds):
        """By the clock: the same over `seconds`, at `speed` steps a second; a finished run keeps its last value."""
        return np.array([measures.area(run.eval_steps / speed, run.eval_means, seconds) for run in self.runs[task]])

    def thresholds(self, task):
        if self.tasks[task][1] is None:
            return np.full(len(self.runs[task]), np.inf)
        return np.array([measures.steps_to(run.episode_steps, run.episode_returns, self.tasks[task][1])
                         for run in self.runs[task]])

    def speed(self, task):
        """Median over runs, with smallest and largest."""
        speeds = [run.speed for run in self.runs[task]]
        return (np.median(speeds), min(speeds), max(speeds)) if speeds else (np.nan,) * 3


def rows(programs, timings):
    """One dictionary a task and program with everything that can be said."""
    reference, speeds = programs[0], {}
    for task, (budget, _) in reference.tasks.items():
        for program in programs:
            speeds[task, program.name] = timings[program.name].speed(task) if program.name in timings else (np.nan,) * 3
        slowest = budget / np.nanmin([speeds[task, program.name][0] for program in programs] + [np.inf])
        for program in programs:
            if not program.runs[task]:
                continue
            finals, areas, reached = program.finals(task), program.areas(task), program.thresholds(task)
            row = {"task": task, "program": program.name, "runs": len(finals), "incomplete": program.incomplete[task],
                   "final": measures.iqm(finals), "final_interval": measures.interval(finals), "worst": finals.min(),
                   "mean": finals.mean(), "mean_interval": measures.interval(finals, measures.mean),
                   "sd": finals.std(ddof=1) if len(finals) > 1 else np.nan,
                   "area": measures.iqm(areas), "area_interval": measures.interval(areas),
                   "steps": np.median(reached), "reached": int(np.isfinite(reached).sum()),
                   "speed": speeds[task, program.name]}
            row["seconds"] = budget / row["speed"][0]
            if program is not reference and reference.runs[task]:
                row["final_difference"] = measures.difference(reference.finals(task), finals)
                row["mean_difference"] = measures.difference(reference.finals(task), finals, measures.mean)
                row["area_difference"] = measures.difference(reference.areas(task), areas)
                ours, theirs = speeds[task, reference.name][0], row["speed"][0]
                if np.isfinite(ours + theirs):
                    row["time_difference"] = measures.difference(reference.areas_by_time(task, ours, slowest),
                                                                 program.areas_by_time(task, theirs, slowest))
            yield row


def number(value):
    if np.isnan(value):
        return "–"
    magnitude = abs(value)
    return f"{value:.0f}" if magnitude >= 1000 else f"{value:.1f}" if magnitude >= 100 else f"{value:.2f}"


def between(interval):
    return f"[{number(interval[0])}, {number(interval[1])}]"


def with_interval(estimate):
    """estimate [low, high] of a difference; in bold when it lies below zero."""
    if estimate is None:
        return ""
    text = f"{number(estimate[0])} {between(estimate[1:])}"
    return f"**{text}**" if estimate[2] < 0 else text


def score_line(row):
    runs = str(row["runs"]) + (f" (+{row['incomplete']} incomplete)" if row["incomplete"] else "")
    return [row["task"], row["program"], runs, f"{number(row['final'])} {between(row['final_interval'])}",
            number(row["worst"]), with_interval(row.get("final_difference")),
            f"{number(row['area'])} {between(row['area_interval'])}", with_interval(row.get("area_difference"))]


def speed_line(row):
    steps = f"{row['steps']:,.0f}" if np.isfinite(row["steps"]) else "never"
    speed = [number(value) for value in row["speed"]]
    return [row["task"], row["program"], f"{steps} ({row['reached']} of {row['runs']})",
            f"{speed[0]} ({speed[1]}–{speed[2]})" if np.isfinite(row["speed"][0]) else "", number(row["seconds"]),
            number(row["steps"] / row["speed"][0]) if np.isfinite(row["steps"]) else "never",
            with_interval(row.get("time_difference"))]


def mean_line(row):
    return [row["task"], row["program"], f"{number(row['mean'])} {between(row['mean_interval'])}", number(row["sd"]),
            with_interval(row.get("mean_difference"))]


def markdown(rows_, reference, thresholds):
    """Tables of the scores, and of what the domain has beside them: times to a threshold, or means."""
    scores = ["task", "program", "runs", "score: IQM [95 %]", "worst run", f"{reference} minus this",
              "area: IQM [95 %]", f"{reference} minus this"]
    speeds = ["task", "program", "median steps to threshold (runs that reach it)", "training steps/s (range)",
              "s of training", "s to threshold", f"area by the clock: {reference} minus this"]
    means = ["task", "program", "mean [95 %]", "sd over runs", f"{reference} minus this"]
    lines = []
    for header, line in ((scores, score_line), (speeds, speed_line) if thresholds else (means, mean_line)):
        lines += ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
        lines += ["| " + " | ".join(line(row)) + " |" for row in rows_] + [""]
    return "\n".join(lines)


def write_tsv(path, rows_):
    names = ["task", "program", "runs", "incomplete", "final", "final_interval", "worst", "final_difference", "area",
             "area_interval", "area_difference", "steps", "reached", "speed", "seconds", "time_difference", "mean",
             "mean_interval", "sd", "mean_difference"]
    with open(path, "w", encoding="ascii", newline="\n") as file:
        file.write("\t".join(names) + "\n")
        for row in rows_:
            cells = [row.get(name, "") for name in names]
            file.write("\t".join(" ".join(f"{v:.17g}" for v in cell) if isinstance(cell, tuple) else str(cell)
                                 for cell in cells) + "\n")


def update_page(path, text):
    """Puts the tables between the page's two marks."""
    with open(path, encoding="utf-8") as file:
        page = file.read()
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise SystemExit(f"compare.py: {path} must hold \"{BEGIN}\" and \"{END}\" once each")
    head, tail = page.split(BEGIN)[0], page.split(END)[1]
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(f"{head}{BEGIN}\n\n{text}\n{END}{tail}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="folder for tables and figure")
    parser.add_argument("--program", action="append", required=True, help="NAME=FOLDER:ALGORITHM")
    parser.add_argument("--timing", action="append", default=[], help="NAME=FOLDER:ALGORITHM, runs on a quiet machine")
    parser.add_argument("--domain", choices=list(DOMAINS), default="classic", help="the tasks (default: classic)")
    parser.add_argument("--page", help="a Markdown page with marks; the tables are put between them")
    options = parser.parse_args()
    tasks = DOMAINS[options.domain]
    programs = [Program(text, options.domain) for text in options.program]
    timings = {program.name: program for program in (Program(text, options.domain) for text in options.timing)}
    os.makedirs(options.out, exist_ok=True)
    table = list(rows(programs, timings))
    text = markdown(table, programs[0].name, any(threshold is not None for _, threshold in tasks.values()))
    with open(os.path.join(options.out, "table.md"), "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    write_tsv(os.path.join(options.out, "table.tsv"), table)
    speeds = {(row["task"], row["program"]): row["speed"][0] for row in table}
    script = figure.write(options.out, tasks, programs, speeds)
    if subprocess.run(["gnuplot", os.path.basename(script)], cwd=options.out, check=False).returncode != 0:
        print(f"compare.py: gnuplot failed; the figure's script is {script}", file=sys.stderr)
    if options.page:
        update_page(options.page, text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
