"""The room between graphs and meta: losses of two weights, as pictures that a browser can recompute."""
