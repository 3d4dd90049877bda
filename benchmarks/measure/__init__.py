"""Measurements: single samples, paired samples, and the benchmarks that consist of them."""
