"""ASGI middleware, one file each; `app.py` lists their order."""
