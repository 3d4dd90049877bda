// Print the next times of cron expressions as the CronJob controller of Kubernetes computes them.
//
// Input lines: expression, time zone and start (RFC 3339), separated by tabs. Output lines: the
// Unix times of the next three runs, "never" after the last one, or "invalid".
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

const runs = 3

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		parts := strings.Split(lines.Text(), "\t")
		start, err := time.Parse(time.RFC3339, parts[2])
		if err != nil {
			panic(err)
		}
		fmt.Println(next(parts[0], parts[1], start))
	}
}

func next(expression, zone string, at time.Time) string {
	schedule, err := cron.ParseStandard("TZ=" + zone + " " + expression)
	if err != nil {
		return "invalid"
	}
	var found []string
	for range runs {
		at = schedule.Next(at)
		if at.IsZero() {
			found = append(found, "never")
			break
		}
		found = append(found, fmt.Sprint(at.Unix()))
	}
	return strings.Join(found, " ")
}
