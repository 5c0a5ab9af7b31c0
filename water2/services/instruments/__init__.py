"""Online instruments: their register, their readings, and what follows from both."""
