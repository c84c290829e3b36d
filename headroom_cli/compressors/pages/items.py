"""What a page is made of once its tags are gone."""

from __future__ import annotations

# Kinds of items. NAV is a line of a <nav>; FIELD is a form field that has a line for itself.
TEXT, HEAD, ITEM, ROW, VERBATIM, FIELD, NAV = range(7)

# Around the text of a link, and after it its number between two CLOSE. No page shows these characters.
OPEN, CLOSE = "\x02", "\x03"

# kind, text, number: level of a heading, depth of a list item, 1 for the header row of a table
Item = tuple[int, str, int]
