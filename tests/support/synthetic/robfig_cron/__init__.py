"""Table of cron times from robfig/cron, the library of the CronJob controller."""
