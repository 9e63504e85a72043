"""A small stateful Stripe, API version 2026-10-28.endive. It takes test keys only and moves no money."""

API_VERSION = "2026-10-28.endive"
