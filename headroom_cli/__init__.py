"""headroom: shrink what LLM agents read, keep every original."""
