"""预评估 and 评估定价: a computed first score, and a valuation ordered from an assessor."""
