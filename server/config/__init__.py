"""The settings: from flags, the environment and .env, in that order.

May import `camera`, `sources`, `workers`, `rtc` and the floors below; not `broadcast`.
"""

from server.config.base import BadSettings
from server.config.command_line import parse_settings
from server.config.settings import Settings

__all__ = ["BadSettings", "Settings", "parse_settings"]
