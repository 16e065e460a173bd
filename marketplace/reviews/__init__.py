"""Yearly reviews of filed agencies (年度评价): indicators, grades, appeals, the end of a filing."""
