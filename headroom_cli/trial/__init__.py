"""Controlled trials of this program on its user's own work: conversations left alone by chance, and what that shows."""
