"""What each goal leads to, given the customer's billing picture: pure functions, one table."""
