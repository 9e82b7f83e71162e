"""Inner loops as people write them, run on one published problem and judged by the gradient they leave behind."""
