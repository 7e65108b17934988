"""Watchlist alerting: feeds → articles → matches → stories → alerts → notifications."""

__version__ = "0.1.0"
