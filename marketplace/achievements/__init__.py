"""科技成果: what a university or institute offers, from draft to transfer, and who may see what."""
