"""A figure: one number of ours over one of the limit's, or a value that has to stay below a bar."""

import statistics


def say(text):
    print(text, flush=True)


class Ratio:
    """Ours ÷ theirs, both sides alternating; the more the better."""

    def __init__(self, number, name, must, aim):
        self.number, self.name, self.must, self.aim = number, name, must, aim
        self.ours, self.theirs = [], []

    def measure(self, rounds, ours, theirs):
        for number in range(rounds):
            self.theirs.append(theirs())
            self.ours.append(ours())
            say(f"  figure {self.number}, round {number + 1} of {rounds}: "
                f"{self.ours[-1]:.0f}/s over {self.theirs[-1]:.0f}/s")
        return self

    @property
    def ratio(self):
        return statistics.median(self.ours) / statistics.median(self.theirs)

    def row(self):
        verdict = "aim" if self.ratio >= self.aim else "must" if self.ratio >= self.must else "**not reached**"
        return (f"| {self.number} | {self.name} | {statistics.median(self.ours):,.0f}/s | "
                f"{statistics.median(self.theirs):,.0f}/s | {self.ratio:.2f} | {self.must} | {self.aim} | {verdict} |")


class Bound:
    """A value that must not exceed its bar; the less the better. `detail` says what it was made from."""

    def __init__(self, number, name, unit, must, aim):
        self.number, self.name, self.unit, self.must, self.aim = number, name, unit, must, aim
        self.values, self.detail = [], ("", "")

    def add(self, value, *detail):
        self.values.append(value)
        if detail:
            self.detail = (*detail, "")[:2]
        say(f"  figure {self.number}: {value:.3g} {self.unit}")
        return self

    def row(self):
        value = statistics.median(self.values)
        verdict = "aim" if value <= self.aim else "must" if value <= self.must else "**not reached**"
        return (f"| {self.number} | {self.name} | {self.detail[0]} | {self.detail[1]} | {value:.3g} {self.unit} | "
                f"{self.must} | {self.aim} | {verdict} |")
