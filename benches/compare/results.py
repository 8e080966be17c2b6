"""Results: a file of tab-separated values for each experiment, in the folder that RESULTS names. Lines: load, server, round, metric, value."""

import collections
import datetime
import os
import statistics
from pathlib import Path

FOLDER = Path(os.environ["RESULTS"])


class Writer:
    def __init__(self, experiment, rounds, seconds):
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.file = open(FOLDER / f"{experiment}.tsv", "w")
        today = datetime.datetime.now(datetime.UTC).date()
        self.file.write(f"# taken on {today}: {rounds} rounds of {seconds} s; load of the machine before: {os.getloadavg()[0]:.1f}\n")

    def add(self, load, server, number, metric, value):
        self.file.write(f"{load}\t{server}\t{number}\t{metric}\t{value}\n")
        self.file.flush()


class Results:
    """Values by load, server and metric, in the order of the rounds."""

    def __init__(self, experiment):
        lines = (FOLDER / f"{experiment}.tsv").read_text().splitlines()
        self.conditions = lines[0].removeprefix("# ")
        self.values = collections.defaultdict(dict)
        self.loads, self.servers = {}, {}
        for line in lines[1:]:
            load, server, number, metric, value = line.split("\t")
            self.values[load, server, metric][int(number)] = value
            self.loads[load] = self.servers[server] = None

    def numbers(self, load, server, metric):
        return {number: float(value) for number, value in self.values[load, server, metric].items()}

    def median(self, load, server, metric):
        numbers = self.numbers(load, server, metric)
        return statistics.median(numbers.values()) if numbers else None

    def ratios(self, load, server, metric, over):
        """Least, median and greatest of the ratios within a round."""
        these, those = self.numbers(load, server, metric), self.numbers(load, over, metric)
        ratios = [these[number] / those[number] for number in these if those.get(number)]
        return (min(ratios), statistics.median(ratios), max(ratios)) if ratios else None

    def text(self, load, server, metric):
        return next(iter(self.values[load, server, metric].values()), None)
