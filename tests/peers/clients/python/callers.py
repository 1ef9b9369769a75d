"""Callers, as threads or as tasks, and what they count."""

import asyncio
import json
import random
import sys
import threading
import time

URL, METHOD = sys.argv[1:3]
CALLERS, SECONDS, PAUSE = map(int, sys.argv[3:6])
HTTP2 = sys.argv[6] == "2"
BODY, EXPECTED = (b"x" * 1024, "1024\n") if METHOD == "POST" else (None, "hello\n")


class Count:
    def __init__(self):
        self.calls, self.errors, self.end = 0, {}, time.monotonic() + SECONDS
        self.lock = threading.Lock()
        print("started", flush=True)

    def goes_on(self):
        return time.monotonic() < self.end

    def add(self, error=None):
        with self.lock:
            self.calls += 1
            if error is not None:
                text = describe(error)
                self.errors[text] = self.errors.get(text, 0) + 1

    def check(self, status, text):
        if status != 200 or text != EXPECTED:
            raise ValueError(f"status {status}")

    def print(self):
        print(json.dumps({"calls": self.calls, "errors": self.errors}))


def describe(error):
    """The type of the error, and the text of its innermost cause."""
    inner = error
    while (cause := inner.__cause__ or inner.__context__) is not None:
        inner = cause
    return f"{type(error).__name__}: {inner}"[:200]


def pause():
    return random.uniform(0, PAUSE / 1000)


def run_threads(call):
    count = Count()

    def caller():
        while count.goes_on():
            try:
                count.check(*call())
                count.add()
            except Exception as error:
                count.add(error)
            time.sleep(pause())

    threads = [threading.Thread(target=caller) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    count.print()


async def run_tasks(call):
    count = Count()

    async def caller():
        while count.goes_on():
            try:
                count.check(*await asyncio.wait_for(call(), 10))
                count.add()
            except Exception as error:
                count.add(error)
            await asyncio.sleep(pause())

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    count.print()
