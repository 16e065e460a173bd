"""挂牌: an achievement offered under stated conditions, from the application to the award."""
