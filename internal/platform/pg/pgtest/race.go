package pgtest

import (
	"os"
	"sync"
)

// Rounds of a race: a few in every run, many in make torture.
func Rounds(few, many int) int {
	if os.Getenv("TORTURE") != "" {
		return many
	}
	return few
}

// AtOnce runs all of them behind one barrier and waits.
func AtOnce(n int, do func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			do(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}
