"""What every benchmark shares: declaration, runner, stored parts, verdicts, report and pictures."""
