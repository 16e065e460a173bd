"""知识产权, 科技金融, 园区落地, 仪器共享 and 活动: one order model, a file per kind of service."""
