"""Who is writing: one-time codes by mail, and the level of assurance that they give."""
