"""The outside world in a box: a stateful simulated Stripe and a mail server that delivers nowhere.

For the demo, tests and evals. It takes Stripe test keys only, listens on loopback only, and knows nothing of us.
"""
