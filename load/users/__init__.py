"""Who uses the system, and what each of them does.

The story: a shop with one counter. For each person who looks after the catalogue (weight 1) and
each auditor (1) there are four sellers and three attendants; a monitor looks in now and then (1),
and sometimes replays a whole journey.
"""
