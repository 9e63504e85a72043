"""How each kind of action is done at Stripe, found there again, and what it promises. One file for each matter."""
