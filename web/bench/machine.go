package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// postmaster is the process whose children serve the connections of the database, which is on this machine.
func postmaster(ctx context.Context, pool *pgxpool.Pool) (int, error) {
	var own int
	if err := pool.QueryRow(ctx, `SELECT pg_backend_pid()`).Scan(&own); err != nil {
		return 0, err
	}
	stat, err := processStat(own)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(stat[1])
}

// processStat is the fields of /proc/<pid>/stat behind the name: state, parent and so on.
func processStat(pid int) ([]string, error) {
	body, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(string(body), ") ")
	return strings.Fields(rest), nil
}

// ticks adds up fields of a process's stat, which are in hundredths of a second.
func ticks(stat []string, fields ...int) (sum time.Duration) {
	for _, field := range fields {
		n, _ := strconv.Atoi(stat[field]) // The kernel writes a number.
		sum += time.Duration(n) * 10 * time.Millisecond
	}
	return sum
}

// databaseCPU is the processor time of all processes of Postgres, those that have ended too.
func (b *bench) databaseCPU() (sum time.Duration) {
	all, _ := filepath.Glob("/proc/[0-9]*") // Without /proc there is nothing to add up.
	for _, path := range all {
		pid, _ := strconv.Atoi(filepath.Base(path))
		stat, err := processStat(pid)
		if err != nil {
			continue // It has ended meanwhile.
		}
		switch {
		case pid == b.postgres:
			sum += ticks(stat, 11, 12, 13, 14)
		case stat[1] == strconv.Itoa(b.postgres):
			sum += ticks(stat, 11, 12)
		}
	}
	return sum
}

// rest waits until the machine has next to nothing to do, at most five seconds: what a turn leaves behind, as the writes
// of a checkpoint, is not the next one's.
func (b *bench) rest() {
	idle := func() (idle, all float64) {
		body, _ := os.ReadFile("/proc/stat") // Without it there is no waiting.
		line, _, _ := strings.Cut(string(body), "\n")
		for i, field := range strings.Fields(line)[1:] {
			n, _ := strconv.ParseFloat(field, 64)
			all += n
			if i == 3 {
				idle = n
			}
		}
		return idle, all
	}
	for range 25 {
		before, allBefore := idle()
		time.Sleep(200 * time.Millisecond)
		after, allAfter := idle()
		if allAfter-allBefore <= 0 || (after-before)/(allAfter-allBefore) > 0.9 {
			return
		}
	}
}
