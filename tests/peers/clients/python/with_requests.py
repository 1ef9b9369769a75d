"""Python's requests: a session, shared by threads."""

import callers
import requests

session = requests.Session()


def call():
    response = session.request(callers.METHOD, callers.URL, data=callers.BODY, timeout=10)
    return response.status_code, response.text


callers.run_threads(call)
