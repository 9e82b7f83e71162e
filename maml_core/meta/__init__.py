"""Room 2: the meta-gradient, nine ways to compute it, and what each of them costs."""
