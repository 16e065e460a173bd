"""The site itself: health, display variants, the design system's page, help and statements."""
