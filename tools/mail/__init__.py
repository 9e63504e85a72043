"""Mails to customers, as plain text over SMTP."""
