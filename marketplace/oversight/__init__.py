"""监督: the audit trail as people read it, its published heads, evidence, and reports of abuse."""
