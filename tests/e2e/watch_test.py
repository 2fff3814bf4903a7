# SPDX-License-Identifier: MIT
"""`trpo-bench watch`: the episodes are those of the final evaluation, to the bit; films; what it refuses."""

import csv
import glob
import hashlib
import json
import os
import re
import shutil
import stat
import unittest

import bench

WALKER = "broken/render-healthy-v1"
RUNS = {bench.CARTPOLE: "classic__CartPole-v1/linear/trpo/s0001", bench.PENDULUM: "classic__Pendulum-v1/linear/trpo/s0001",
        WALKER: "broken__render-healthy-v1/linear/trpo/s0001"}

# stands in for ffmpeg: notes its arguments and how many bytes come in, and writes a file
STAND_IN = """#!/usr/bin/env python3
import sys
to = sys.argv[-1][len("file:"):]
data = sys.stdin.buffer.read()
with open(to, "w") as file:
    file.write(" ".join(sys.argv[1:-1]) + "\\n" + str(len(data)))
with open("pictures.rgb", "wb") as file:
    file.write(data)
"""


def final_rows(folder):
    with open(f"{folder}/evals.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    last = max(int(row["step"]) for row in rows)
    return [row for row in rows if int(row["step"]) == last]


class Watch(bench.Bench):
    def train(self, envs=(WALKER,), defaults="normalize_observations = true", plugins=("env-render-healthy",)):
        self.put_suite(envs=envs, plugins=[bench.broken(name) for name in plugins], defaults=defaults)
        self.expect(0, "e2e.toml", "-q")

    def stand_in(self, text=STAND_IN):
        """The variable that names another ffmpeg."""
        path = self.path("stand-in")
        bench.write(path, text)
        os.chmod(path, stat.S_IRWXU)
        return {"TRPO_BENCH_FFMPEG": path}

    def watch(self, env, *arguments, code=0, **options):
        return self.expect(code, "watch", self.run_folder(RUNS[env]), *arguments, **options)

    def test_episodes_are_those_of_the_final_evaluation(self):
        self.train(envs=tuple(RUNS))
        for env, run in RUNS.items():
            rows = final_rows(self.run_folder(run))
            self.assertEqual(len(rows), 3)
            out, _ = self.watch(env, "--no-film", "--episodes", "4")
            expected = [f"episode {row['episode']}: return {row['return']}, {row['length']} steps, as in the final evaluation"
                        for row in rows]
            lines = out.splitlines()
            self.assertEqual(lines[:3], expected)
            # behind the evaluation's end they go on
            self.assertRegex(lines[3], r"^episode 3: return \S+, \d+ steps$")
            out, _ = self.watch(env, "--no-film", "--start", "2", environment={"OMP_NUM_THREADS": "3"})
            self.assertEqual(out.splitlines(), [expected[2]])

    def test_results_and_cell_as_for_run_cell(self):
        self.train()
        run = RUNS[WALKER]
        whole, _ = self.watch(WALKER, "--no-film")
        for arguments in ((self.results(), f"runs/{run}"), (os.path.relpath(self.run_folder(run), self.folder) + "/",)):
            self.assertEqual(self.expect(0, "watch", "--no-film", *arguments)[0], whole)
        # the suite may have been run with other seeds since
        self.expect(0, "e2e.toml", "-q", "--seeds", "7")
        self.assertEqual(self.watch(WALKER, "--no-film")[0], whole)

    def test_the_policy_needs_its_statistics(self):
        self.train()
        folder = self.run_folder(RUNS[WALKER])
        with open(f"{folder}/observations.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["input"] for row in rows], ["0", "1"])
        self.assertTrue(all(float(row["scale"]) != 1 and float(row["clip"]) == 10 for row in rows))
        # other statistics are another policy
        bench.write(f"{folder}/observations.csv", "input,shift,scale,clip\n0,5,0.1,10\n1,0,1,10\n")
        self.tell_hash(folder, "observations.csv")
        out, err = self.watch(WALKER, "--no-film", code=3)
        self.assertIn("; the final evaluation had ", out)
        self.assertIn("1 of 1 episodes are not those of the final evaluation", err)
        bench.write(f"{folder}/observations.csv", "input,shift,scale,clip\n0,5,0.1,10\n")
        self.tell_hash(folder, "observations.csv")
        self.assertIn("statistics of 1 inputs; this environment gives 2", self.watch(WALKER, "--no-film", code=3)[1])
        os.remove(f"{folder}/observations.csv")
        self.assertIn("cannot", self.watch(WALKER, "--no-film", code=74)[1])
        self.tell_hash(folder, "observations.csv")
        self.assertIn("older trpo-bench", self.watch(WALKER, "--no-film", code=3)[1])

    def test_without_normalisation_nothing_is_done(self):
        self.train(defaults="normalize_observations = false")
        folder = self.run_folder(RUNS[WALKER])
        self.assertEqual(bench.read(f"{folder}/observations.csv"), "input,shift,scale,clip\n0,0,1,inf\n1,0,1,inf\n")
        with_file, _ = self.watch(WALKER, "--no-film")
        # a run of an older version
        os.remove(f"{folder}/observations.csv")
        self.tell_hash(folder, "observations.csv")
        self.assertEqual(self.watch(WALKER, "--no-film")[0], with_file)
        self.assertIn("as in the final evaluation", with_file)

    def test_other_actions(self):
        self.train()
        mode, _ = self.watch(WALKER, "--no-film")
        drawn, _ = self.watch(WALKER, "--no-film", "--stochastic")
        uniform, _ = self.watch(WALKER, "--no-film", "--random")
        self.assertEqual(len({mode, drawn, uniform}), 3)
        self.assertEqual(self.watch(WALKER, "--no-film", "--stochastic")[0], drawn)
        for out in (drawn, uniform):
            self.assertNotIn("evaluation", out)
        # random actions need no trained policy
        os.remove(f"{self.run_folder(RUNS[WALKER])}/run.json")
        self.assertEqual(self.watch(WALKER, "--no-film", "--random")[0], uniform)
        self.assertIn("there is no trained policy", self.watch(WALKER, "--no-film", code=2)[1])

    def test_pictures_that_ffmpeg_gets(self):
        self.train()
        film = f"{self.run_folder(RUNS[WALKER])}/watch.mp4"
        out, _ = self.watch(WALKER, environment=self.stand_in())
        steps = int(re.search(r"(\d+) steps", out).group(1))
        self.assertIn(f"{film}: {steps + 1} pictures", out)
        arguments, size = bench.read(film).split("\n")
        self.assertIn("-video_size 120x80 -framerate 25.000000 -i pipe:0", arguments)
        self.assertEqual(int(size), (steps + 1) * 120 * 80 * 3)
        # dark pixels, and a bright column that moves
        with open(self.path("pictures.rgb"), "rb") as file:
            rows = [file.read(120 * 80 * 3)[:360] for _ in range(steps + 1)]
        columns = [row.index(b"\xe0\xe0\xe0") for row in rows]
        self.assertTrue(all(row.count(b"\xe0\xe0\xe0") == 1 and row.count(b"\x20") == 357 for row in rows))
        self.assertGreater(len(set(columns)), 1)
        self.watch(WALKER, "-o", "x.GIF", "--size", "33x17", "--fps", "7", "-n", "2", environment=self.stand_in())
        arguments, size = bench.read(self.path("x.GIF")).split("\n")
        self.assertIn("-video_size 33x17 -framerate 7.000000", arguments)
        self.assertEqual(int(size) % (33 * 17 * 3), 0)
        # a film is no part of the result
        out, _ = self.expect(0, "e2e.toml")
        self.assertIn("render-healthy", out)

    def test_ffmpeg_that_fails(self):
        self.train()
        film = f"{self.run_folder(RUNS[WALKER])}/watch.mp4"
        bench.write(film, "an older film")
        fails = self.stand_in("#!/bin/sh\necho first >&2\necho no room left >&2\nexit 1\n")
        _, err = self.watch(WALKER, "--size", "400x400", code=74, environment=fails)
        self.assertIn("ffmpeg could not write", err)
        self.assertIn("no room left", err)
        self.assertEqual(bench.read(film), "an older film")
        self.assertEqual(glob.glob(f"{film}.part"), [])
        _, err = self.watch(WALKER, code=2, environment={"TRPO_BENCH_FFMPEG": "no-such-ffmpeg"})
        self.assertIn("apt-get install ffmpeg", err)

    @unittest.skipUnless(shutil.which("ffmpeg") and shutil.which("ffprobe"), "no ffmpeg here (scripts/setup.sh --watch installs it)")
    def test_films(self):
        self.train()
        for name, size in (("a.mp4", "34,18"), ("b.gif", "33,17")):
            out, _ = self.watch(WALKER, "-o", name, "--size", "33x17", "-n", "2")
            pictures = int(re.search(r"(\d+) pictures", out).group(1))
            probe = self.start("-v", "error", "-count_frames", "-select_streams", "v", "-show_entries",
                               "stream=width,height,nb_read_frames,avg_frame_rate", "-of", "csv=p=0", name, command=["ffprobe"])
            code, out, err = self.finish(probe)
            self.assertEqual((code, err), (0, ""))
            self.assertEqual(out.strip(), f"{size},25/1,{pictures}")
        self.assertEqual(glob.glob(self.path("*.part")), [])

    def test_no_way_to_draw(self):
        self.train(envs=(bench.CARTPOLE, "broken/render-absent-v1"), plugins=("env-render-absent",))
        folder = self.run_folder("broken__render-absent-v1/linear/trpo/s0000")
        _, err = self.expect(2, "watch", folder)
        self.assertIn("cannot be drawn here: no paint here; install a paint box", err)
        self.expect(0, "watch", folder, "--no-film")

    @unittest.skipUnless(os.path.exists(f"{bench.BUILD}/plugins/mujoco.so"), "built without MuJoCo (scripts/fetch-mujoco.sh)")
    def test_mujoco(self):
        self.train(envs=("mujoco/Hopper-v5",), plugins=())
        folder = self.run_folder("mujoco__Hopper-v5/linear/trpo/s0000")
        out, _ = self.expect(0, "watch", folder, "--no-film", "-n", "3")
        self.assertEqual(out.count("as in the final evaluation"), 3)
        # libraries that cannot be loaded, as if there were none
        os.mkdir(self.path("none"))
        for name in ("libEGL.so.1", "libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so"):
            self.put(f"none/{name}", "no library")
        _, err = self.expect(2, "watch", folder, environment={**self.stand_in(), "LD_LIBRARY_PATH": self.path("none")})
        self.assertIn("there is no OpenGL here; install EGL (Debian: apt-get install libegl1", err)
        code, out, err = self.call("watch", folder, "--size", "64x48", "-o", "hopper.mp4", "--fps", "125", environment=self.stand_in())
        if "there is no OpenGL here" in err:
            self.skipTest("neither EGL nor OSMesa here (scripts/setup.sh --watch installs it)")
        self.assertEqual(code, 0, err)
        self.assertIn("as in the final evaluation", out)
        with open(self.path("pictures.rgb"), "rb") as file:
            pictures = [file.read(64 * 48 * 3) for _ in range(int(re.search(r"(\d+) steps", out).group(1)) + 1)]
        # a sky above a bright and dark floor, and something that moves
        self.assertEqual(len(set(pictures)), len(pictures))
        for picture in pictures:
            self.assertEqual(len(picture), 64 * 48 * 3)
            self.assertGreater(len(set(picture)), 40)
            sky, floor = picture[:64 * 3], picture[-64 * 3:]
            self.assertLess(max(sky) - min(sky), 100)
            self.assertGreater(max(floor) - min(floor), 100)

    @staticmethod
    def tell_hash(folder, name):
        """Puts the SHA-256 of a file as it is now into run.json, or takes it out when there is none."""
        record = bench.load(f"{folder}/run.json")
        del record["files"][name]
        if os.path.exists(f"{folder}/{name}"):
            with open(f"{folder}/{name}", "rb") as file:
                record["files"][name] = hashlib.sha256(file.read()).hexdigest()
        bench.write(f"{folder}/run.json", json.dumps(record))

    def test_refusals(self):
        self.train()
        _, err = self.expect(2, "watch", self.results())
        self.assertIn("is not the folder of a run", err)
        self.expect(74, "watch", "no/such/folder")
        self.expect(2, "watch")
        for arguments, message in ((("-o", "x.avi"), ".mp4 or .gif"), (("--size", "3"), "like 640x480"), (("--size", "0x9"), "640x480"),
                                   (("--fps", "0"), "0.01 to 1000"), (("--episodes", "0"), "from 1 on"), (("--start", "-1"), "from 0 on"),
                                   (("--random", "--stochastic"), "exclude"), (("--epsodes", "2"), 'did you mean "--episodes"')):
            self.assertIn(message, self.watch(WALKER, *arguments, code=2)[1])
        folder = self.run_folder(RUNS[WALKER])
        # one bit of any file that is read, also where nothing would be compared
        for name in ("policy.bin", "observations.csv", "evals.csv"):
            with open(f"{folder}/{name}", "rb") as file:
                whole = file.read()
            with open(f"{folder}/{name}", "wb") as file:
                file.write(whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:])
            err = self.watch(WALKER, "--no-film", "--stochastic", code=3)[1]
            self.assertIn(f"{name} is not the file that the run wrote", err)
            with open(f"{folder}/{name}", "wb") as file:
                file.write(whole)
        # a run.json that tells of another policy
        for n, message in ((8, "this policy has"), (1, "no multiple of 8")):
            with open(f"{folder}/policy.bin", "ab") as file:
                file.write(b"\0" * n)
            self.tell_hash(folder, "policy.bin")
            self.assertIn(message, self.watch(WALKER, "--no-film", code=3)[1])
        out, _ = self.expect(0, "--help")
        self.assertIn("watch      make a film of a trained policy", out)


if __name__ == "__main__":
    bench.main()
