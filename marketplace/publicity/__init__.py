"""公示: dated public notices, the right to object, and the result of each objection."""
