"""Timings, each run beside what it is compared with. Never part of the tests."""
