"""Reports of a mix: statistics, charts, the HTML page, samples, and why a sample was picked."""
