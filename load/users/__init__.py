"""Personas of the load: one Locust user class each.

The scenario is a shop with one counter. For each catalogue keeper (weight 1) and each auditor (1)
there are four sellers and three attendants. A monitor (1) calls the health checks, and sometimes
replays a whole journey.
"""
