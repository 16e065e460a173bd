"""科研诚信: organisations inside a recorded period of dishonesty."""
