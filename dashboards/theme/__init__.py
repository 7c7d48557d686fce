"""Design tokens, the single source of colours and sizes."""
