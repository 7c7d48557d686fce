"""The web process: Dash pages beside the API in one ASGI app."""
