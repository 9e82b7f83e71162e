"""The autograd graph of one real training step, recorded and folded; made of rooms 2 and 3, drawn by no one here."""
