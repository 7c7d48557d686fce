"""Texts in zh-TW and English."""
