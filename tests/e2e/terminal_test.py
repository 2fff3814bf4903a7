# SPDX-License-Identifier: MIT
"""What is seen on a terminal while a suite runs, by way of a pseudo-terminal."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import bench

ROWS, COLUMNS = 24, 90


class Screen:
    """Just enough of a terminal: text, line ends, cursor up, erase line. Any other sequence is an error."""

    def __init__(self, columns):
        self.columns, self.rows, self.row, self.column = columns, [""], 0, 0
        self.widest = 0  # of the lines that were erased: those redrawn in place

    def feed(self, text):
        for piece in re.findall(r"\033\[\d*[A-Za-z]|\033.?|[\r\n]|[^\033\r\n]+", text):
            if piece == "\033[1A":
                self.row -= 1
                assert self.row >= 0, "above the first line"
            elif piece == "\033[2K":
                self.widest = max(self.widest, len(self.rows[self.row]))
                self.rows[self.row] = ""
            elif piece == "\r":
                self.column = 0
            elif piece == "\n":
                self.row += 1
                if self.row == len(self.rows):
                    self.rows.append("")
            else:
                assert not piece.startswith("\033"), f"unexpected sequence {piece!r}"
                line = self.rows[self.row].ljust(self.column)
                self.rows[self.row] = line[:self.column] + piece + line[self.column + len(piece):]
                self.column += len(piece)

    def lines(self):
        return [line for line in self.rows if line]


class Terminal(bench.Bench):
    def start_on_terminal(self, *arguments, environment=None, columns=COLUMNS, rows=ROWS):
        """The program with standard error on a pseudo-terminal, which becomes its controlling terminal."""
        screen, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

        def take_terminal():
            bench.default_signals()
            fcntl.ioctl(2, termios.TIOCSCTTY, 0)

        process = subprocess.Popen([bench.PROGRAM, *arguments], cwd=self.folder, start_new_session=True,
                                   env={**bench.ENVIRONMENT, "TERM": "xterm-256color", **(environment or {})},
                                   stdin=terminal, stdout=subprocess.PIPE, stderr=terminal, preexec_fn=take_terminal)
        os.close(terminal)
        self.addCleanup(self.end, process)
        self.addCleanup(os.close, screen)
        return process, screen

    def read_until_end(self, screen, until=None, seconds=120):
        """All that the program writes to the terminal, or until a text is there."""
        data, limit = b"", time.monotonic() + seconds
        while time.monotonic() < limit:
            ready, _, _ = select.select([screen], [], [], 0.2)
            if not ready:
                continue
            try:
                part = os.read(screen, 65536)
            except OSError:  # the other side is closed
                part = b""
            data += part
            if not part or (until is not None and until in data.decode(errors="ignore")):
                return data.decode()
        raise AssertionError(f"no end within {seconds} s: {data!r}")

    def watch(self, *arguments, **options):
        process, screen = self.start_on_terminal(*arguments, **options)
        text = self.read_until_end(screen)
        out = process.stdout.read().decode()
        return process.wait(60), out, text

    def put_visible_suite(self):
        # long enough for some redraws, five a second
        return self.put_suite(policies=("mlp",), seeds=2, steps=20000)

    def test_bar_and_clean_screen(self):
        code, out, text = self.watch(self.put_visible_suite(), "-j2")
        self.assertEqual(code, 0, text)
        self.assertIn("\u2588", text)
        self.assertRegex(text, r"[01]/2 cells  \d+ steps/s  ETA \d+")
        self.assertRegex(text, r"  classic/CartPole-v1 mlp trpo s[01] +\d+ %  +\d+ steps/s  return +[\d.]+")
        self.assertNotIn("] start", text)
        screen = Screen(COLUMNS)
        screen.feed(text)
        self.assertLess(screen.widest, COLUMNS)
        # what stays: the two plain lines of before and after
        first, last = screen.lines()
        self.assertRegex(first, "^e2e: 2 cells, 0 done, 2 to run -> results/e2e-")
        self.assertRegex(last, "^results: results/e2e-")
        self.assertEqual(screen.row, 2)
        # the table is for a pipe or a file: no trace of the display in it
        self.assertNotIn("\033", out)
        self.assertIn("| classic/CartPole-v1 |", out)

    def test_failures_stay_on_the_screen(self):
        suite = self.put_suite(envs=(bench.CARTPOLE, "broken/step-crash-v1"), policies=("mlp",), seeds=1, steps=20000,
                               plugins=[bench.broken("env-step-crash")])
        code, _, text = self.watch(suite, "-j2")
        self.assertEqual(code, 1)
        screen = Screen(COLUMNS)
        screen.feed(text)
        lines = screen.lines()
        self.assertIn("crashed broken/step-crash-v1 mlp trpo s0: signal 11 (Segmentation fault)", lines[1])
        self.assertIn("1 of 2 cells failed", " ".join(lines[2:]))
        self.assertIn(", 1 failed", text)

    def test_narrow_terminal(self):
        code, _, text = self.watch(self.put_visible_suite(), "-j2", columns=40)
        self.assertEqual(code, 0)
        screen = Screen(40)
        screen.feed(text)
        self.assertTrue(20 < screen.widest < 40, screen.widest)
        self.assertEqual(len(screen.lines()), 2)

    def expect_plain(self, *arguments, environment=None):
        code, _, text = self.watch(self.put_suite(seeds=2), *arguments, environment=environment)
        self.assertEqual(code, 0)
        self.assertNotIn("\033", text)
        self.assertEqual(text.count("] start "), 2)
        self.assertEqual(text.count("] done  "), 2)

    def test_dumb_terminal(self):
        self.expect_plain(environment={"TERM": "dumb"})

    def test_no_color(self):
        self.expect_plain(environment={"NO_COLOR": "1"})

    def test_plain_when_asked(self):
        self.expect_plain("--progress=plain")

    def test_full_when_asked(self):
        """Even into a file."""
        _, err = self.expect(0, self.put_visible_suite(), "--progress=full")
        self.assertIn("\033[2K", err)

    def test_interrupt_key(self):
        """Ctrl-C as the terminal sends it: to the whole foreground group."""
        suite = self.put_suite(policies=("mlp",), seeds=4, steps=4000000)
        process, screen = self.start_on_terminal(suite, "-j2")
        text = self.read_until_end(screen, until=" % ")
        workers = bench.workers_of(process.pid)
        self.assertEqual(len(workers), 2)
        os.write(screen, b"\x03")
        text += self.read_until_end(screen)
        self.assertEqual(process.wait(60), 130)
        self.assertFalse(any(map(bench.is_alive, workers)))
        for seed in (0, 1):
            (attempt,) = self.attempts(f"classic__CartPole-v1/mlp/trpo/s000{seed}")
            self.assertEqual((attempt["state"], attempt["exit_code"]), ("stopped", 75))
            self.assertRegex(attempt["message"], r"^stopped by a signal after \d+ steps$")
        shown = Screen(COLUMNS)
        shown.feed(text.replace("^C", ""))
        lines = " ".join(shown.lines())
        self.assertIn("stopped by SIGINT; 0 of 4 cells are done, the same command goes on with the rest", lines)
        # nothing of the display is left
        self.assertNotIn("steps/s", lines)

    def test_the_terminal_goes_away(self):
        suite = self.put_suite(policies=("mlp",), seeds=2, steps=4000000)
        process, screen = self.start_on_terminal(suite, "-j2")
        self.read_until_end(screen, until=" % ")
        workers = bench.workers_of(process.pid)
        process.send_signal(signal.SIGHUP)
        process.wait(60)
        bench.wait_until(lambda: not any(map(bench.is_alive, workers)), "the workers end", 20)


if __name__ == "__main__":
    bench.main()
