"""A server that others wrote, as far as a client can tell: the SDK's own, on standard input and output.

python tests/mcp_child.py            tools of every kind
python tests/mcp_child.py collides   and one of the name that ours has
"""

import base64
import sys

import anyio
from mcp.server.mcpserver import Context, Image, MCPServer
from mcp_servers import LOG
from mcp_types import CallToolResult, ImageContent, TextContent
from pictures import screenshot

server = MCPServer("theirs")


@server.tool(structured_output=False)
def log(path: str = "") -> str:
    """Return a log as text."""
    return LOG


@server.tool()
def told() -> str:
    """Return a log as text, which the SDK also gives as a structured result."""
    return LOG


@server.tool()
def facts() -> dict[str, str]:
    """Return something that programs read."""
    return {"log": LOG}


@server.tool(structured_output=False)
def several() -> list:
    """Return two texts and a picture."""
    return [LOG, Image(data=screenshot(), format="png"), "a short text", LOG.replace("worker", "helper")]


@server.tool(structured_output=False)
def fails() -> CallToolResult:
    """Return an error."""
    return CallToolResult(content=[TextContent(type="text", text="no such table: " + LOG[:300])], is_error=True)


@server.tool(structured_output=False)
def picture() -> CallToolResult:
    """Return a picture alone."""
    data = base64.b64encode(screenshot()).decode()
    return CallToolResult(content=[ImageContent(type="image", data=data, mime_type="image/png")])


@server.tool(structured_output=False)
async def slow(context: Context, steps: int = 3) -> str:
    """Report progress, then return a log."""
    for step in range(steps):
        await context.report_progress(step + 1, steps)
        await anyio.sleep(0.01)
    return LOG


@server.resource("text://log")
def resource() -> str:
    """Give the log as a resource."""
    return LOG


if sys.argv[1:] == ["collides"]:

    @server.tool(structured_output=False)
    def headroom_retrieve(handle: str) -> str:
        """Return what the server has under this name."""
        return f"theirs: {handle}"


if __name__ == "__main__":
    server.run("stdio")
