"""What every run of the suite says at its end: which tests did not run, and why."""

from collections import Counter


def pytest_terminal_summary(terminalreporter, config):
    """The reasons of skipped tests with their numbers, and the marks that this run leaves out."""
    lines = skipped(terminalreporter.stats.get("skipped", ()))
    if "not slow" in config.option.markexpr:
        lines.append("slow tests, long or statistical, are left out: `make test-slow` runs them")
        lines.append("wide tests, more games and longer scenes, too: `make test-wide`, as CI does")
    if lines:
        terminalreporter.section("not run, and why")
        for line in lines:
            terminalreporter.write_line(line)


def skipped(reports):
    """A line for each reason, the most frequent first."""
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports)
    return [f"{number:5d}  {reason}" for reason, number in reasons.most_common()]
