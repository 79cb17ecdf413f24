// Bench measures the shop beside a bare baseline on the same database, in turns, so that a noisy machine is noisy for
// both.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

const (
	rounds = 3
	turn   = 1500 * time.Millisecond
)

func main() {
	log.SetFlags(0)
	if len(os.Args) == 2 && os.Args[1] == "child" {
		if err := serve(context.Background(), os.Getenv("BENCH_ROLE")); err != nil {
			log.Fatal(err)
		}
		return
	}
	part := ""
	if len(os.Args) == 2 {
		part = os.Args[1]
	}
	if err := run(context.Background(), part); err != nil {
		log.Fatal("bench: ", err)
	}
}

// run measures everything, or one part: “large”, what a large catalogue does to the pages, “people”, what a million
// customers do to the counter, “lists”, what that and a million orders do to the admin's lists, “money”, what prices, rushes, cards and returns cost, “rush”, two hundred who want the last fifty, “learn”, what goes with what of a million receipts, “segments”, a million people added up and counted, “points”, a million members’ points and tiers at night, or a workload by its name.
func run(ctx context.Context, part string) error {
	b, err := prepare(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	fmt.Printf("%s, %d processors, %s; fsync on; rounds of %v, medians of %d\n\n", processor(), runtime.NumCPU(),
		runtime.Version(), turn, rounds)
	switch part {
	case "large":
		return b.large(ctx)
	case "learn":
		if err := b.run(ctx, catalogueOf(100_000, "many")); err != nil {
			return err
		}
		return b.learn(ctx)
	case "segments":
		return b.segments(ctx)
	case "points":
		return b.points(ctx)
	case "lists":
		return b.lists(ctx)
	case "people":
		return b.profiles(ctx)
	case "money":
		return b.money(ctx)
	case "rush":
		return b.lastFifty(ctx)
	case "":
		if err := b.weights(ctx); err != nil {
			return err
		}
	}
	fmt.Printf("\n%-16s %5s %9s %9s %7s %8s %8s %8s %8s %8s %6s %8s\n", "", "conns", "ours/s", "bare/s", "share",
		"p50 ms", "p95 ms", "p99 ms", "app ms", "pg ms", "stmts", "bytes")
	for _, w := range b.workloads() {
		if part != "" && part != w.name {
			continue
		}
		for _, connections := range w.connections {
			if err := b.measure(ctx, w, connections); err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
		}
	}
	if part != "" {
		return b.sound(ctx)
	}
	fmt.Printf("\nmemory after the load: %d MB\n", b.server.memory())
	if err := b.lastFifty(ctx); err != nil {
		return err
	}
	if err := b.money(ctx); err != nil {
		return err
	}
	if err := b.sound(ctx); err != nil {
		return err
	}
	if err := b.large(ctx); err != nil {
		return err
	}
	if err := b.learn(ctx); err != nil {
		return err
	}
	return b.profiles(ctx)
}

// A result is one turn of one side.
type result struct {
	done      int
	took      time.Duration
	latencies []time.Duration
	cpu       time.Duration // of the shop
	database  time.Duration // of all processes of Postgres
	stmts     float64
	bytes     int64
}

func (r result) rate() float64 { return float64(r.done) / r.took.Seconds() }

func (r result) at(share float64) float64 {
	if len(r.latencies) == 0 {
		return 0
	}
	slices.Sort(r.latencies)
	return float64(r.latencies[min(len(r.latencies)-1, int(share*float64(len(r.latencies))))].Microseconds()) / 1000
}

func (b *bench) measure(ctx context.Context, w workload, connections int) error {
	var ours, bare []result
	for range rounds {
		mine, err := b.turn(ctx, w.ours, connections)
		if err != nil {
			return err
		}
		theirs, err := b.turn(ctx, w.bare, connections)
		if err != nil {
			return err
		}
		ours, bare = append(ours, mine), append(bare, theirs)
	}
	of := func(side []result, figure func(result) float64) float64 {
		var all []float64
		for _, r := range side {
			all = append(all, figure(r))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	rate, limit := of(ours, result.rate), of(bare, result.rate)
	per := func(r result) float64 { return float64(max(1, r.done)) }
	fmt.Printf("%-16s %5d %9.0f %9.0f %6.0f%% %8.2f %8.2f %8.2f %8.2f %8.2f %6.1f %8.0f\n", w.name, connections, rate, limit,
		100*rate/limit,
		of(ours, func(r result) float64 { return r.at(.5) }), of(ours,
			func(r result) float64 { return r.at(.95) }), of(ours, func(r result) float64 { return r.at(.99) }),
		of(ours, func(r result) float64 { return float64(r.cpu.Microseconds()) / 1000 / per(r) }),
		of(ours, func(r result) float64 { return float64(r.database.Microseconds()) / 1000 / per(r) }),
		of(ours, func(r result) float64 { return r.stmts / per(r) }),
		of(ours, func(r result) float64 { return float64(r.bytes) / per(r) }))
	return nil
}

func processor() string {
	out, err := exec.Command("sh", "-c", "grep -m1 'model name' /proc/cpuinfo | cut -d: -f2").Output()
	if err != nil {
		return "unknown processor"
	}
	return strings.TrimSpace(string(out))
}
