# SPDX-License-Identifier: MIT
"""published = "FILE" of a suite: results of others beside ours in the report, and what is refused."""

import glob
import json
import os
import re
import statistics
import unittest

import bench

HEAD = 'published = "they.toml"'
THEY = """[[source]]
name = "They"
citation = "They 2020, A Paper."
protocol = "v0 tasks; 3 seeds."
[source.trpo]
"classic/CartPole-v1" = [123.4, 5.6]
"nobody/Runs-v0" = [1]

[[source]]
name = "Others"
citation = "Others 2021."
protocol = "One run."
[source.npg]
"classic/CartPole-v1" = [77.25]
"""


class Published(bench.Bench):
    def run_suite(self, **options):
        self.put("they.toml", THEY)
        suite = self.put_suite(algorithms=("trpo", "npg", "vpg"), seeds=3, head=HEAD, **options)
        self.expect(0, suite, "--quiet")
        return bench.read(f"{self.results()}/report/table.md")

    def test_beside_ours(self):
        table = self.run_suite()
        section = table[table.index("## Published results"):]
        rows = [re.split(r" *\| *", line.strip("| ")) for line in section.splitlines() if line.startswith("| classic")]
        self.assertEqual([row[2] for row in rows], ["trpo", "npg"])  # nothing is known of vpg
        self.assertEqual(rows[0][4:], ["123.4 ± 5.6", "-"])
        self.assertEqual(rows[1][4:], ["-", "77.25"])
        scores = [record["final_return_mean"] for name, record in self.runs().items() if "/trpo/" in name]
        mean, sd = (float(x) for x in rows[0][3].split(" ± "))
        self.assertAlmostEqual(mean, statistics.mean(scores), delta=0.6)
        self.assertAlmostEqual(sd, statistics.stdev(scores), delta=0.6)
        self.assertIn("- They: v0 tasks; 3 seeds. Source: They 2020, A Paper.\n- Others: One run. Source: Others 2021.", section)

    def test_the_report_needs_the_folder_alone(self):
        table = self.run_suite()
        os.remove(self.path("they.toml"))
        self.expect(0, "report", self.results())
        self.assertEqual(bench.read(f"{self.results()}/report/table.md"), table)

    def test_other_numbers_are_no_other_suite(self):
        self.run_suite()
        folder, runs = self.results(), self.contents()
        self.put("they.toml", THEY.replace("77.25", "78.5"))
        self.expect(0, "e2e.toml", "--quiet")
        self.assertEqual(glob.glob(f"{self.folder}/results/*"), [f"{self.folder}/{os.path.relpath(folder, self.folder)}"])
        self.assertEqual(self.contents(), runs)
        self.assertIn("78.5", bench.read(f"{folder}/report/table.md"))

    def test_without_anything_known_there_is_no_section(self):
        self.put("they.toml", THEY)
        self.expect(0, self.put_suite(algorithms=("vpg",), seeds=1, head=HEAD), "--quiet")
        self.assertNotIn("Published", bench.read(f"{self.results()}/report/table.md"))

    def test_a_suite_that_names_none_any_more(self):
        self.run_suite()
        self.expect(0, self.put_suite(algorithms=("trpo", "npg", "vpg"), seeds=3), "--quiet")
        self.assertFalse(os.path.exists(f"{self.results()}/published.json"))
        self.assertNotIn("Published", bench.read(f"{self.results()}/report/table.md"))

    def test_damage(self):
        self.run_suite()
        whole = bench.read(f"{self.results()}/published.json")
        texts = json.loads(whole), json.loads(whole), json.loads(whole)
        texts[0]["source"][0]["trpo"]["classic/CartPole-v1"][0] = "a"
        texts[1]["source"][0]["name"] = 1
        texts[2]["source"][1]["npg"]["classic/CartPole-v1"] = [1, 2, 3]
        for damage in ('{"source": [{"trpo": {"classic/CartPole-v1": [1, 2]}}]}', "[1]", "{}", '{"source": [1]}',
                       *map(json.dumps, texts),
                       '{"source": [' + ", ".join(['{"name": "a", "citation": "b", "protocol": "c"}'] * 13) + "]}"):
            bench.write(f"{self.results()}/published.json", damage)
            _, err = self.expect(3, "report", "--no-plot", self.results())
            self.assertIn("published.json:1: these are no published results", err)
        bench.write(f"{self.results()}/published.json", whole[:50])
        _, err = self.expect(3, "report", "--no-plot", self.results())
        self.assertIn("not valid JSON", err)

    def refuse(self, message, text=None, head=HEAD):
        if text is not None:
            self.put("they.toml", text)
        _, err = self.expect(2, self.put_suite(head=head))
        self.assertIn(message, err)
        self.assertFalse(os.path.exists(self.path("results")))

    def test_refusals(self):
        self.refuse("no file of published results they.toml: No such file")
        self.refuse(" is no file of published results", head='published = "."')
        self.refuse("e2e.toml:8:13: ", head='published = ""')
        self.refuse("they.toml:6:", THEY.replace("[123.4, 5.6]", "[123.4, 5.6, 7]"))
        self.refuse('must be [mean] or [mean, spread], two numbers, not a number', THEY.replace("[77.25]", "77.25"))
        self.refuse("they.toml:1:", THEY.replace('name = "They"\n', ""))
        self.refuse('[[source]] needs citation = "..."', THEY.replace('"They 2020, A Paper."', "2020"))
        self.refuse('"a2c" is no algorithm', THEY.replace("source.npg", "source.a2c"))
        self.refuse('write [source.trpo]', THEY.replace("[source.trpo]\n\"classic/CartPole-v1\" = [123.4, 5.6]\n\"nobody/Runs-v0\" = [1]", "trpo = 1"))
        self.refuse("[[source]] tables and nothing else", THEY + "[results]\n")
        self.refuse("[[source]] tables and nothing else", "")
        self.refuse("at most 12 sources have room", THEY * 7)


if __name__ == "__main__":
    bench.main()
