"""Room 3: training, evaluation and what is kept of them."""
