"""Import of achievements and needs from Excel and CSV, with a fate for every row."""
