"""Write picture.json: an agent that looks at a page three times. Needs Pillow, whose version may change the bytes.

python examples/picture.py
"""

import base64
import io
import json
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SERVICES = ("checkout", "cart", "catalog", "payments", "search", "session", "emails", "gateway")
SIZE = (1400, 900)


def page(declined: int) -> bytes:
    """Return a picture of the shop's status page."""
    picture = Image.new("P", SIZE, 0)
    picture.putpalette([255, 255, 255, 30, 30, 30, 190, 40, 40, 225, 235, 245])
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=26)
    draw.rectangle((0, 0, SIZE[0], 70), fill=3)
    draw.text((30, 18), "Shop status, 2026-11-18 09:14 UTC", fill=1, font=font)
    for row, name in enumerate(SERVICES):
        bad = name == "payments"
        state = f"degraded: {declined} of 900 payments declined" if bad else "operational"
        draw.text((60, 120 + 80 * row), f"{name:<12}", fill=1, font=font)
        draw.text((340, 120 + 80 * row), state, fill=2 if bad else 1, font=font)
    made = io.BytesIO()
    picture.save(made, "PNG", optimize=True)
    return made.getvalue()


def main() -> None:
    """Write the conversation."""
    messages: list[dict[str, object]] = [{"role": "user", "content": "Watch the status page while I deploy."}]
    for number, declined in enumerate((102, 102, 37)):
        call = {"type": "tool_use", "id": f"toolu_{number}", "name": "screenshot", "input": {"page": "/status"}}
        data = base64.b64encode(page(declined)).decode()
        source = {"type": "base64", "media_type": "image/png", "data": data}
        content = [{"type": "image", "source": source}]
        result = {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": content}
        messages += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    request = {"model": "claude-sonnet-4-5", "max_tokens": 1000, "messages": messages}
    (Path(__file__).parent / "picture.json").write_text(json.dumps(request, indent=1) + "\n")


if __name__ == "__main__":
    main()
