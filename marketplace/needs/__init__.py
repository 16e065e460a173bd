"""技术需求: what an enterprise looks for, from draft to contract, and the answers it receives."""
