"""技术经纪: deals from the first lead to payment, introductions, commission, agencies' filing."""
