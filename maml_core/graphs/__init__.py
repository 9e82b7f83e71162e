"""Room 1: what autograd writes down."""
