"""Messages to people: an inbox for everybody, mail for those who want it."""
