# SPDX-License-Identifier: MIT
"""A run's folder in the layout of docs/results.md, the rule of when to evaluate, and the loop over tasks and seeds."""

import argparse
import concurrent.futures
import csv
import dataclasses
import importlib.metadata
import json
import multiprocessing
import os
import resource
import shutil
import sys
import time
import traceback

import keys
import starts

PACKAGES = ("torch", "numpy", "gymnasium", "mujoco", "stable-baselines3", "sb3-contrib", "tianshou")


@dataclasses.dataclass(frozen=True)
class Domain:
    """Tasks that are run and evaluated alike."""

    name: str          # env ids are name/task
    tasks: tuple
    steps: dict        # environment steps by task
    thresholds: dict   # of the return of an episode that succeeds; None or absent: the task has none
    episodes: type     # evaluation episodes: episodes(options, task).play(act, seed, purpose, n)
    plugins: bool = False  # trpo-bench's plugins are needed


CLASSIC = Domain(
    "classic", starts.TASKS, {task: 50_000 if task == "MountainCarContinuous-v0" else 100_000 for task in starts.TASKS},
    {"CartPole-v1": 475, "Acrobot-v1": -100, "MountainCar-v0": -110, "MountainCarContinuous-v0": 90},
    starts.Episodes, plugins=True)


class Run:
    """Writes one run; times what it is told, evaluates when due."""

    def __init__(self, options, domain, algorithm, task, seed):
        self.task, self.seed, self.algorithm, self.options, self.domain = task, seed, algorithm, options, domain
        self.folder = folder_of(options.out, domain, algorithm, task, seed)
        self.steps = options.steps or domain.steps[task]
        self.eval_every = self.steps // 10
        self.next_eval = self.eval_every
        os.makedirs(self.folder, exist_ok=True)
        self.episodes = domain.episodes(options, task)
        self.files = {}
        self.open("evals.csv", "step,episode,return,length,success")
        self.open("episodes.csv", "step,lane,episode,return,length")
        self.open("timing.csv", "iteration,step,sample_s,advantage_s,update_s,critic_s,eval_s,total_s")
        self.ended_of_lane = {}
        self.iterations = 0
        self.train_s = self.train_cpu_s = 0.0
        self.started = time.time()
        self.final = None

    def open(self, name, header):
        self.files[name] = open(os.path.join(self.folder, name), "w", encoding="ascii", newline="\n")
        self.files[name].write(header + "\n")

    def episode(self, step, lane, total, length):
        """A training episode has ended; `step` counts over all lanes."""
        index = self.ended_of_lane.get(lane, 0)
        self.ended_of_lane[lane] = index + 1
        self.files["episodes.csv"].write(f"{step},{lane},{index},{total:.17g},{length}\n")

    def iteration(self, step, sample_s, update_s, cpu_s):
        """An iteration is done. The peers do not tell advantages and critic apart from the rest."""
        self.iterations += 1
        self.train_s += sample_s + update_s
        self.train_cpu_s += cpu_s
        self.row = f"{self.iterations},{step},{sample_s:.6f},nan,{update_s:.6f},nan"

    def end_iteration(self, eval_s):
        self.files["timing.csv"].write(f"{self.row},{eval_s:.6f},{time.time() - self.started:.6f}\n")

    def evaluate(self, step, act, purpose, n):
        began = time.perf_counter()
        returns, lengths = self.episodes.play(act, self.seed, purpose, n)
        threshold = self.domain.thresholds.get(self.task)
        for i, (total, length) in enumerate(zip(returns, lengths)):
            success = "" if threshold is None else int(total >= threshold)
            self.files["evals.csv"].write(f"{step},{i},{total:.17g},{length},{success}\n")
        self.files["evals.csv"].flush()
        return float(returns.mean()), time.perf_counter() - began

    def evaluate_if_due(self, step, act):
        """trpo-bench's rule: at step 0, then after the iteration that passes each multiple of eval_every. The
        evaluation at the end replaces the one of the last iteration. Returns the seconds it took."""
        if self.options.timing or (0 < step < self.next_eval) or step >= self.steps:
            return 0.0
        while self.next_eval <= step:
            self.next_eval += self.eval_every
        return self.evaluate(step, act, keys.STREAM_EVAL, 10)[1]

    def finish(self, step, act):
        n = 1 if self.options.timing else 100
        self.final, seconds = self.evaluate(step, act, keys.STREAM_EVAL_FINAL, n)
        self.end_iteration(seconds)
        for file in self.files.values():
            file.close()
        record = {
            "cell": {"label": f"{self.domain.name}/{self.task} mlp {self.algorithm} s{self.seed}", "seed": self.seed,
                     "path": os.path.relpath(self.folder, self.options.out)},
            "state": "ok", "steps": step, "final_return_mean": self.final,
            "episodes": sum(self.ended_of_lane.values()), "started": self.started, "ended": time.time(),
            "train_s": self.train_s, "train_cpu_s": self.train_cpu_s,
            "max_rss_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, "versions": versions()}
        write_json(os.path.join(self.folder, "run.json"), record)


def folder_of(out, domain, algorithm, task, seed):
    return os.path.join(out, "runs", f"{domain.name}__{task}", "mlp", algorithm, f"s{seed:04d}")


def complete(folder):
    return os.path.exists(os.path.join(folder, "run.json"))


def keep(run, reference):
    """The short form of a complete run, small enough to commit: evaluations, run.json, and timing.csv summed up."""
    os.makedirs(reference, exist_ok=True)
    with open(os.path.join(run, "timing.csv"), encoding="ascii", newline="") as file:
        timing = list(csv.reader(file))
    sums = [f"{sum(float(row[i]) for row in timing[1:]):.6f}" for i in range(2, 7)]
    with open(os.path.join(reference, "timing.csv"), "w", encoding="ascii", newline="\n") as file:
        file.write(",".join(timing[0]) + "\n" + ",".join([*timing[-1][:2], *sums, timing[-1][7]]) + "\n")
    # run.json last: it says that the run is complete
    for name in ("evals.csv", "run.json"):
        shutil.copyfile(os.path.join(run, name), os.path.join(reference, name))


def write_json(path, record):
    with open(path + ".part", "w", encoding="ascii") as file:
        json.dump(record, file, indent=2)
        file.write("\n")
    os.replace(path + ".part", path)


def versions():
    found = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            pass
    return found


def seed_list(text):
    """0-9, 3, 0,2,5-7"""
    seeds = []
    for part in text.split(","):
        low, _, high = part.partition("-")
        seeds += range(int(low), int(high or low) + 1)
    return seeds


def parse(description, domain):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", required=True, help="results folder; complete runs in it are kept")
    parser.add_argument("--reference", help="a folder too whose complete runs are not repeated; new runs are put into it "
                        "in a short form (no training episodes)")
    if domain.plugins:
        parser.add_argument("--plugins", required=True, help="folder of trpo-bench's plugins")
    parser.add_argument("--tasks", default=",".join(domain.tasks), help="comma-separated (default: all)")
    parser.add_argument("--seeds", default="0-9", type=seed_list, help="0-9, 3, 0,2,5-7 (default: 0-9)")
    parser.add_argument("--steps", type=int, help="environment steps (default: the full budget of the task)")
    parser.add_argument("--timing", action="store_true", help="no evaluations but one episode at the end")
    parser.add_argument("-j", "--jobs", type=int, default=1, help="processes, one run each, one thread each")
    options = parser.parse_args()
    options.tasks = options.tasks.split(",")
    unknown = [task for task in options.tasks if task not in domain.tasks]
    if unknown:
        parser.error(f"unknown task {unknown[0]}; known: {', '.join(domain.tasks)}")
    if options.reference and (options.steps or options.timing):
        parser.error("--reference takes full runs alone")
    return options


def run_one(train, domain, algorithm, options, task, seed):
    """In a process of its own; returns a line for people and whether it went well."""
    try:
        run = Run(options, domain, algorithm, task, seed)
        train(run)
        if options.reference:
            keep(run.folder, folder_of(options.reference, domain, algorithm, task, seed))
    except Exception:
        return f"{algorithm} {task} s{seed}: FAILED\n{traceback.format_exc()}", False
    return f"{algorithm} {task} s{seed}: {run.final:.2f}, trained {run.train_s:.1f} s", True


def keep_older(options, domain, algorithm):
    """Puts complete runs of an earlier call into the reference, when it has not got them."""
    for seed in options.seeds:
        for task in options.tasks:
            run, reference = (folder_of(place, domain, algorithm, task, seed)
                              for place in (options.out, options.reference))
            if complete(run) and not complete(reference):
                keep(run, reference)


def missing(options, domain, algorithm):
    """(task, seed) of every run that is complete nowhere; the first seed of every task first."""
    places = [place for place in (options.out, options.reference) if place]
    return [(task, seed) for seed in options.seeds for task in options.tasks
            if not any(complete(folder_of(place, domain, algorithm, task, seed)) for place in places)]


def main(description, algorithm, train, domain=CLASSIC):
    """Runs what is missing. Exit code 1 when a run failed."""
    options = parse(description, domain)
    if options.reference:
        keep_older(options, domain, algorithm)
    wanted = missing(options, domain, algorithm)
    context = multiprocessing.get_context("spawn")
    good = True
    with concurrent.futures.ProcessPoolExecutor(options.jobs, context, max_tasks_per_child=1) as pool:
        futures = [pool.submit(run_one, train, domain, algorithm, options, task, seed) for task, seed in wanted]
        for number, future in enumerate(concurrent.futures.as_completed(futures), 1):
            line, ok = future.result()
            good = good and ok
            print(f"[{number}/{len(wanted)}] {line}", flush=True)
    return 0 if good else 1
