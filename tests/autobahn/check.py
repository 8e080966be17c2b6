"""Judges an Autobahn report: `check.py INDEX.json CASES.txt PATTERN...`.

CASES.txt has the names of all cases of the suite. Those that match a pattern are due.
"""

import fnmatch
import json
import sys
from collections import Counter

# How many cases each group of the suite has: a smaller suite is no proof.
CASES_PER_GROUP = {1: 16, 2: 11, 3: 7, 4: 10, 5: 20, 6: 145, 7: 37, 9: 54, 10: 1, 12: 90, 13: 126}

# What the suite itself only looks at: data after a Close frame, and close codes over 4999.
INFORMATIONAL = {"7.1.6", "7.13.1", "7.13.2"}


def group(case):
    return int(case.split(".")[0])


def allowed(case):
    """The pairs of behaviour and closing behaviour that pass."""
    if case in INFORMATIONAL:
        return {("OK", "OK"), ("INFORMATIONAL", "INFORMATIONAL"), ("INFORMATIONAL", "OK")}
    return {("OK", "OK")}


def judge(results, due):
    """One line for each case that does not pass."""
    faults = []
    for case in due:
        if case not in results:
            faults.append(f"{case}: missing")
            continue
        verdict = (results[case]["behavior"], results[case]["behaviorClose"])
        if verdict not in allowed(case):
            faults.append(f"{case}: behaviour {verdict[0]}, close {verdict[1]}")
    return faults


def self_test():
    """The judge must be able to say no."""
    row = {"behavior": "OK", "behaviorClose": "OK"}
    rows = [
        ("1.1.1", row, []),
        ("1.1.1", {**row, "behavior": "NON-STRICT"}, ["1.1.1: behaviour NON-STRICT, close OK"]),
        ("1.1.1", {**row, "behavior": "INFORMATIONAL"}, ["1.1.1: behaviour INFORMATIONAL, close OK"]),
        ("7.1.6", {"behavior": "INFORMATIONAL", "behaviorClose": "INFORMATIONAL"}, []),
        ("7.1.6", {**row, "behavior": "FAILED"}, ["7.1.6: behaviour FAILED, close OK"]),
        ("2.1", {**row, "behaviorClose": "UNCLEAN"}, ["2.1: behaviour OK, close UNCLEAN"]),
        ("2.1", {**row, "behavior": "UNIMPLEMENTED"}, ["2.1: behaviour UNIMPLEMENTED, close OK"]),
        ("12.1.1", {**row, "behavior": "UNIMPLEMENTED"}, ["12.1.1: behaviour UNIMPLEMENTED, close OK"]),
        ("12.1.1", row, []),
    ]
    for case, result, expect in rows:
        got = judge({case: result}, [case])
        assert got == expect, (case, got, expect)
    assert judge({}, ["1.1.1"]) == ["1.1.1: missing"]


def main(index, cases, *patterns):
    self_test()
    with open(cases) as lines:
        names = lines.read().split()
    counts = dict(Counter(map(group, names)))
    if counts != CASES_PER_GROUP:
        sys.exit(f"error: the suite has other cases than are known here: {counts}")
    due = [name for name in names if any(fnmatch.fnmatchcase(name, each) for each in patterns)]
    if not due:
        sys.exit(f"error: no case matches {' '.join(patterns)}")
    with open(index) as report:
        (results,) = json.load(report).values()
    faults = judge(results, due)
    for number in sorted(set(map(group, due))):
        mine = Counter(results.get(case, {}).get("behavior", "MISSING") for case in due if group(case) == number)
        print(f"group {number:2}: " + ", ".join(f"{count} {verdict}" for verdict, count in sorted(mine.items())))
    slow = max(due, key=lambda case: results.get(case, {}).get("duration", 0))
    print(f"slowest: {slow}, {results.get(slow, {}).get('duration', 0)} ms")
    for fault in faults:
        print("not as it must be:", fault)
    print(f"{len(due) - len(faults)} cases as they must be, {len(faults)} not")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
