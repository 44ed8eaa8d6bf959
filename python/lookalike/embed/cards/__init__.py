"""What every model.toml says, the files it names, and the models that are shipped."""

from __future__ import annotations
