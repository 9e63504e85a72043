"""Steps of a case: from a request to a receipt."""
