"""Embedding: how fast, and how good the neighbours are."""
