"""What every run of the suite says at its end: what it counted, what did not run, and why."""

from collections import Counter


def pytest_terminal_summary(terminalreporter, config):
    """What tests counted (`record_property`), the reasons of skipped ones, what was left out."""
    counts = counted(terminalreporter.stats.get("passed", ()))
    if counts:
        terminalreporter.write_line("ran: " + ", ".join(counts))

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


def counted(reports):
    """Sums of the numbers that tests which passed have recorded, a phrase each."""
    sums = Counter()
    for report in reports:
        for name, number in getattr(report, "user_properties", ()):
            sums[name] += number
    return [f"{number} {name}" for name, number in sums.items() if number]
