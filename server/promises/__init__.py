"""What customers were told will happen: looked after until it is kept, dropped, or seen to be overdue and told."""
