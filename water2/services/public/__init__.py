"""What anybody may ask without an account: outages, notices, estates, and to be told of them."""
