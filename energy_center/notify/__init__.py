"""Notification channels, one file each."""
