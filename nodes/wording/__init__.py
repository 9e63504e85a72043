"""How each kind of action is spoken of, from the question to the receipt: one file for each matter."""
