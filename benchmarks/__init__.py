"""The clients service beside what people would pick instead, measured in one run."""
