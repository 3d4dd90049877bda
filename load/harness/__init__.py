"""What stands around Locust: recording, judging, telling, and clearing up."""
