"""The technology market of Jinan: from a research achievement to a paid subsidy."""
