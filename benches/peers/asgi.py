"""An ASGI application; uvicorn handles SIGTERM itself."""

import asyncio


async def app(scope, receive, send):
    assert scope["type"] == "http"
    await asyncio.sleep(1 if scope["path"] == "/slow" else 0.005)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]})
    await send({"type": "http.response.body", "body": b"hello\n"})
