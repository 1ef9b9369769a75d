"""Python's aiohttp."""

import asyncio

import aiohttp
import callers


async def main():
    async with aiohttp.ClientSession() as session:

        async def call():
            async with session.request(callers.METHOD, callers.URL, data=callers.BODY) as response:
                return response.status, await response.text()

        await callers.run_tasks(call)


asyncio.run(main())
