"""Autobahn's fuzzing client against the chip: all cases but those of compression, with messages of up to 16 MiB."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

CHECK = Path(__file__).parents[1] / "autobahn/check.py"
PATTERNS = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"]
# It takes a minute; a device that hangs costs the suite a timeout for each case.
PATIENCE = 900


def test_every_case_is_as_it_must_be(ethernet):
    fuzz, reports = os.environ["FUZZ"], Path(os.environ["REPORTS"])
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir(parents=True)
    cases = reports / "cases.txt"
    cases.write_bytes(subprocess.check_output([fuzz, "--list"]))
    spec = reports / "spec.json"
    chosen = {"cases": PATTERNS, "exclude-cases": [], "exclude-agent-cases": {}}
    spec.write_text(json.dumps({"outdir": str(reports), "servers": [{"agent": "chip", "url": ethernet.url()}], **chosen}))
    with (reports / "client.log").open("wb") as log:
        subprocess.run([fuzz, spec], stdout=log, stderr=log, timeout=PATIENCE, check=True)
    judged = subprocess.run([sys.executable, CHECK, reports / "index.json", cases, *PATTERNS], capture_output=True, text=True)
    print(judged.stdout)
    assert judged.returncode == 0, judged.stdout + judged.stderr
