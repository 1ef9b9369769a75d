"""Python's httpx: an asynchronous client."""

import asyncio

import callers
import httpx


async def main():
    async with httpx.AsyncClient(http1=not callers.HTTP2, http2=callers.HTTP2, verify=False) as client:

        async def call():
            response = await client.request(callers.METHOD, callers.URL, content=callers.BODY)
            expected = "HTTP/2" if callers.HTTP2 else "HTTP/1.1"
            if response.http_version != expected:
                raise ValueError(f"the response has {response.http_version}")
            return response.status_code, response.text

        await callers.run_tasks(call)


asyncio.run(main())
