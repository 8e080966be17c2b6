"""Reads `cargo metadata` and fails if a package of the workspace states another Rust version or a dependency needs a newer one."""

import json
import sys


def number(version):
    parts = [int(part) for part in version.split(".")]
    return parts + [0] * (3 - len(parts))


minimum = sys.argv[1]
metadata = json.load(sys.stdin)
members = set(metadata["workspace_members"])
faults = []
unstated = 0
for package in metadata["packages"]:
    stated = package["rust_version"]
    name = f"{package['name']} {package['version']}"
    if package["id"] in members:
        if stated != minimum:
            faults.append(f"{name} states {stated}, the workspace {minimum}")
    elif stated is None:
        unstated += 1
    elif number(stated) > number(minimum):
        faults.append(f"{name} needs Rust {stated}, newer than {minimum}")
for fault in faults:
    print("error:", fault)
print(f"{len(metadata['packages']) - len(members)} dependencies, {unstated} of them state no Rust version")
sys.exit(1 if faults or not members else 0)
