"""Requests and answers of one API in the shape of another, part by part.

What cannot be carried is refused by name before anything is sent; nothing is dropped in silence.
"""

from __future__ import annotations
