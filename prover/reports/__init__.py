"""Reports of runs: one page, the same as Markdown and JSON, and every proof judged again."""
