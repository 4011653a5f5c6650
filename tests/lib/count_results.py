#!/usr/bin/env python3
"""Counts what a meson test log (JSON lines) says: subtests where a test reports them, else the test.

usage: count_results.py LOG    prints "PASSED FAILED"
"""
import json
import sys

GOOD = {"OK", "EXPECTEDFAIL"}
NEUTRAL = {"SKIP", "IGNORED"}


def count(lines):
    passed = failed = 0
    for line in lines:
        test = json.loads(line)
        # A TAP test's log holds its subtests; one that crashed after good subtests still failed.
        subtests = [l.split()[0:2] for l in (test.get("stdout") or "").splitlines()
                    if l.startswith(("ok ", "not ok "))]
        good = sum(1 for words in subtests if words[0] == "ok")
        bad = len(subtests) - good
        if test["result"] in GOOD:
            passed += max(good, 1)
        elif test["result"] not in NEUTRAL:
            passed += good
            failed += max(bad, 1)
    return passed, failed


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
        print(*count(log))
