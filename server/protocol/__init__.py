"""Protocol v2 (commands, and one stream of events for all runs of a thread), on the event log that there is."""
