"""The callbacks of hubs: `GET` verifies, `POST` pushes (WebSub §5.3 and §7). Each path is a secret."""

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from watcher.intake.pushed import Callbacks, Push
from watcher.intake.subscriber import PATH


def websub_routes(callbacks: Callbacks) -> list[Route]:
    """For the listener."""

    async def called(request: Request) -> Response:
        token = request.path_params["token"]
        if request.method == "POST":
            return await _pushed(callbacks, token, request)
        if request.method == "GET":
            return await _verified(callbacks, token, request)
        return _not_found()

    return [Route(f"{PATH}{{token:str}}", called, methods=["GET", "POST"])]


async def _verified(callbacks: Callbacks, token: str, request: Request) -> Response:
    said = request.query_params
    names = ("hub.mode", "hub.topic", "hub.challenge", "hub.lease_seconds")
    if any(len(said.getlist(name)) > 1 for name in names):
        return _not_found()
    answer = await callbacks.verify(
        token,
        mode=said.get("hub.mode", ""),
        topic=said.get("hub.topic", ""),
        challenge=said.get("hub.challenge", ""),
        lease=said.get("hub.lease_seconds"),
    )
    # The listener adds nosniff; nothing a stranger puts into a link is ever shown as a page.
    return _not_found() if answer is None else PlainTextResponse(answer)


async def _pushed(callbacks: Callbacks, token: str, request: Request) -> Response:
    headers = request.headers
    push = Push(
        request.stream(),
        headers.get("content-type"),
        headers.get("content-encoding", ""),
        headers.get("x-hub-signature"),
    )
    try:
        reply = await callbacks.take(token, push)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it
    wait = {"Retry-After": str(int(reply.come_back.total_seconds()))} if reply.come_back else {}
    return Response(status_code=reply.status, headers=wait)


def _not_found() -> Response:
    return PlainTextResponse("not found\n", status_code=404)
