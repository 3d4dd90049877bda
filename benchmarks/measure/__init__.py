"""Measurements: one sample, pairs of samples, and the benchmarks made of them."""
